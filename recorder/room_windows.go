package recorder

import "golang.org/x/sys/windows"

// freeBytes returns how many bytes the disk with dir has for this user.
func freeBytes(dir string) (free uint64, ok bool) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, false
	}
	err = windows.GetDiskFreeSpaceEx(name, &free, nil, nil)
	return free, err == nil
}
