package gateway

import "net"

// hungUp does not know, here.
func hungUp(net.Conn) bool { return false }
