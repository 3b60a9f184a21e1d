package inspector

import "devhook/recorder"

// A sinceBaseline counts what is otherwise than it was.
type sinceBaseline struct {
	Fixed     int `json:"fixed"`
	Regressed int `json:"regressed"`
	Unchanged int `json:"unchanged"`
	New       int `json:"new"`
	Gone      int `json:"gone"` // were sent then, and not now
}

// compare says what has become of each since an earlier run, of the same filter and changes.
func (a *replayedAll) compare(earlier []replayed) {
	was := map[recorder.ID]replayed{}
	for _, one := range earlier {
		was[one.Of] = one
	}
	a.Since = &sinceBaseline{}
	for i := range a.Exchanges {
		now := &a.Exchanges[i]
		before, known := was[now.Of]
		delete(was, now.Of)
		switch {
		case !known:
			a.Since.New++
			now.Change = "new"
		case before.isBad() && !now.isBad():
			a.Since.Fixed++
			now.Change = "fixed"
		case !before.isBad() && now.isBad():
			a.Since.Regressed++
			now.Change = "regressed"
		default:
			a.Since.Unchanged++
		}
	}
	if !a.TimedOut { // else they may have been to come
		a.Since.Gone = len(was)
	}
}
