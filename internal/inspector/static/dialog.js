// Dialogs. The focus goes back to what opened one, or to what is in its place by then: the
// pane may have been written anew meanwhile, and its buttons with it.

export const shown = (e) => e?.isConnected && e !== document.body && !e.disabled && e.getClientRects().length > 0;

// focused is what has the focus, for who comes back to it after a while.
export function focused() {
  const e = document.activeElement, name = e?.closest("#pane") && e.dataset.do;
  return () => [e, name && document.querySelector(`#pane [data-do="${name}"]`), document.getElementById("list"), document.querySelector("#pane h1"), document.getElementById("pane")].find(shown)?.focus({ preventScroll: true });
}

// openDialog shows a dialog; back, of focused, is called when it has closed.
export function openDialog(dialog, back = focused()) {
  const closed = () => {
    if (dialog.open) return; // of the time before: it comes late, and somebody was quicker
    dialog.removeEventListener("close", closed);
    if (document.activeElement === document.body || !shown(document.activeElement)) back();
  };
  dialog.addEventListener("close", closed);
  dialog.showModal();
}
