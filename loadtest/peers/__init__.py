"""The same work against other servers, side by side: what a call, an update, a row costs."""
