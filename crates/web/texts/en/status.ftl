# Withdrawn records, and how the copies stand.

nav-more = About this site’s data
withdrawals-title = Withdrawn records
withdrawals-text = Whoever publishes a record may withdraw it at any time. That it was withdrawn stays in the log of its feed for everybody to see.
withdrawals-none = No record has been withdrawn.
withdrawals-date = Withdrawn on
withdrawals-record = Record
withdrawals-by = Withdrawn by
withdrawals-reason = Reason
withdrawals-pages = Pages of the log
withdrawals-newer = Later withdrawals
withdrawals-older = Earlier withdrawals
network-status-title = Network status
network-status-text = When each feed was last received here, and how many nodes have confirmed a full copy. This is about servers and lines of communication; it says nothing about any State.
network-status-none = No feed is held here yet.
network-status-received = Last received
network-status-copies = Copies confirmed
network-status-copies-text = A copy is counted once its node has signed that it holds every entry. Nodes that are temporarily not reachable are tried again by themselves; what was received from them stays readable.
copies = { $count ->
    [one] { $count } copy
   *[other] { $count } copies
}
index-current = The search covers everything that was received here.
index-behind = The search does not yet cover everything that was received here.
