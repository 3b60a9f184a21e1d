package gateway

import "net"

// tellsHungUp says that hungUp does not know, here.
const tellsHungUp = false

// hungUp does not know, here.
func hungUp(net.Conn) bool { return false }
