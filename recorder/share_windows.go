package recorder

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// openShared opens a file of the journal so that it can be removed or replaced
// meanwhile: os.Open does not share that.
func openShared(path string, flag int) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	access, how := uint32(windows.GENERIC_READ), uint32(windows.OPEN_EXISTING)
	if flag&os.O_RDWR != 0 {
		access |= windows.GENERIC_WRITE
	}
	switch {
	case flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL:
		how = windows.CREATE_NEW
	case flag&os.O_CREATE != 0:
		how = windows.OPEN_ALWAYS
	}
	share := uint32(windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE)
	h, err := windows.CreateFile(name, access, share, nil, how, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// A renameInfo is FILE_RENAME_INFO with a name of its own length behind it:
// https://learn.microsoft.com/windows/win32/api/winbase/ns-winbase-file_rename_info
type renameInfo struct {
	flags  uint32
	root   windows.Handle
	length uint32 // bytes of the name
	name   [1]uint16
}

// replaceFile renames a file over another, which those who have it open go on with:
// with POSIX semantics, as of Windows 10 1709 on NTFS. Elsewhere it is MoveFileEx, which
// refuses if somebody has it open.
func replaceFile(from, to string) error {
	if err := replacePOSIX(from, to); err == nil {
		return nil
	}
	return os.Rename(from, to)
}

func replacePOSIX(from, to string) error {
	path, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	full, err := windows.FullPath(to)
	if err != nil {
		return err
	}
	name, err := windows.UTF16FromString(full)
	if err != nil {
		return err
	}
	share := uint32(windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE)
	h, err := windows.CreateFile(path, windows.DELETE|windows.SYNCHRONIZE, share, nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return err
	}
	var head renameInfo
	at := unsafe.Offsetof(head.name)
	buf := make([]byte, max(unsafe.Sizeof(head), at+uintptr(2*len(name))))
	info := (*renameInfo)(unsafe.Pointer(&buf[0]))
	info.flags, info.length = windows.FILE_RENAME_REPLACE_IF_EXISTS|windows.FILE_RENAME_POSIX_SEMANTICS, uint32(2*(len(name)-1))
	copy(unsafe.Slice((*uint16)(unsafe.Pointer(&buf[at])), len(name)), name)
	err = windows.SetFileInformationByHandle(h, windows.FileRenameInfoEx, &buf[0], uint32(len(buf)))
	return errors.Join(err, windows.CloseHandle(h))
}
