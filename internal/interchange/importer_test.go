package interchange

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

// What has an id that is taken gets another, however many there are, and what refers to it
// refers to that.
func TestImportOfTakenIDs(t *testing.T) {
	store, err := recorder.Open(t.TempDir(), recorder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	var ids []recorder.ID
	var text strings.Builder
	for i := range few + 40 {
		ids = append(ids, recorder.NewID(at.Add(time.Duration(i)*time.Second)))
		fmt.Fprintf(&text, `{"v":1,"id":%q,"parent":%q,"request":{"url":"https://x/"}}`+"\n", ids[i], ids[max(0, i-1)])
	}
	imported := func() (list []*recorder.Exchange) {
		imp := Importer{Store: store, Catalog: new(verify.Catalog), Reader: Reader{Now: at}}
		err := imp.Import(context.Background(), strings.NewReader(text.String()), func(ex *recorder.Exchange) error {
			list = append(list, ex)
			return nil
		})
		if err != nil || len(list) != len(ids) {
			t.Fatalf("%d imported, %v", len(list), err)
		}
		return list
	}
	for i, ex := range imported() {
		if ex.ID != ids[i] {
			t.Errorf("exchange %d has the id %s, and %s is free", i+1, ex.ID, ids[i])
		}
	}
	again := imported()
	for i, ex := range again {
		if ex.ID == ids[i] {
			t.Errorf("exchange %d has the id %s, which is taken", i+1, ex.ID)
		}
		if i > 0 && ex.Parent != again[i-1].ID {
			t.Errorf("exchange %d is of %s, not of %s", i+1, ex.Parent, again[i-1].ID)
		}
	}
}
