package inspector

import (
	"errors"
	"net/http"
	"strings"

	"devhook/recorder"
)

// A pruneRequest chooses what is to be removed, as devhook prune does. If nothing of it
// is said, all goes that devhook does not keep.
type pruneRequest struct {
	Filter    *string `json:"filter"`
	OlderThan string  `json:"older_than"` // 7d
	MaxSize   string  `json:"max_size"`   // 1gb
	DryRun    bool    `json:"dry_run"`
}

// prune removes recordings for good, or says in a dry run how many would go.
func (in *Inspector) prune(_ *http.Request, req pruneRequest) (any, error) {
	what, err := in.pruning(req)
	if err != nil {
		return nil, err
	}
	out, err := in.o.Store.Prune(what)
	if err != nil {
		return nil, err
	}
	if !what.DryRun && out.Exchanges > 0 {
		in.o.Log.Info("recordings were deleted", "exchanges", out.Exchanges)
	}
	return struct {
		Exchanges int      `json:"exchanges"`
		Bytes     int64    `json:"bytes"`
		Pinned    int      `json:"pinned,omitempty"`
		DryRun    bool     `json:"dry_run,omitempty"`
		Notes     []string `json:"notes,omitempty"` // where the filter may not mean what its writer did
	}{out.Exchanges, out.Bytes, out.Pinned, what.DryRun, what.Filter.Notes()}, nil
}

// pruning reads what is to go.
func (in *Inspector) pruning(req pruneRequest) (what recorder.Pruning, err error) {
	what = recorder.Pruning{DryRun: req.DryRun, Now: in.o.Now()}
	if req.Filter != nil {
		if strings.TrimSpace(*req.Filter) == "" {
			return what, &Error{http.StatusBadRequest, "the filter is empty, which would remove everything", "if everything is meant: path:*"}
		}
		if what.Filter, err = recorder.ParseFilter(what.Now, *req.Filter); err != nil {
			return what, err
		}
	}
	if req.OlderThan != "" {
		age, err := recorder.ParseAge(req.OlderThan)
		if err != nil {
			return what, &Error{http.StatusBadRequest, "older_than: " + err.Error(), "write 90d, 12h or 2w"}
		}
		what.Before = what.Now.Add(-age)
	}
	if req.MaxSize != "" {
		what.MaxSize, err = recorder.ParseSize(req.MaxSize)
		if err == nil && what.MaxSize == 0 {
			err = errors.New("0 bytes would be room for nothing")
		}
		if err != nil {
			return what, &Error{http.StatusBadRequest, "max_size: " + err.Error(), "write 500mb or 1gb"}
		}
	}
	if req.Filter == nil && req.OlderThan == "" && req.MaxSize == "" {
		what = what.Keeping(in.o.Keep())
	}
	return what, nil
}
