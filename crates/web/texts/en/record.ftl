# The page of a record, and the home page.

home-hint = Words, a phrase in quotation marks, or the symbol of a recommendation.
home-states = { $count ->
    [one] concerning { $count } State
   *[other] concerning { $count } States
}
home-publishers = { $count ->
    [one] published by { $count } node
   *[other] published by { $count } nodes
}
home-by-kind = By kind of record
home-by-state = By UN regional group
home-all-states = All States in alphabetical order
home-all-topics = All topics
home-more = More new records
home-part = Take part
home-part-mechanism = A national mechanism publishes on a node of its own, or on one that is hosted for it and that it can take home with its keys. What it publishes, corrects and withdraws is its own decision.
home-part-anybody = Reading, checking and keeping a copy need no permission.
period-from = from { $date }
period-to = until { $date }
retrieved-excerpt = in excerpts
record-newest = Read the current version
record-older = You are reading version { $version }. A newer version has replaced it.
record-not-assessed = Not assessed by the network.
record-beside = Languages side by side
record-beside-all = All
record-machine-translation = machine translation
record-about-version = about version { $version }
record-attested = What others attest
record-attested-text = Statements of other nodes about this record. Each is a signed record of its own; the network has assessed none of them.
record-translated = Unofficial translations
record-translated-text = Made by other nodes. They are unofficial until the publisher of this record adopts them.
record-mentioned = Records that refer to this one
record-cite = How to cite
record-cite-version = Version { $version }, { $date }
record-cite-text = The address leads to this version. Its SHA-256 shows that a copy is the same to the last letter.
record-identifier = Identifier
record-error = Report an error
record-error-text = Write to the unit named here. The address of this record is in the subject already.
record-error-nobody = Its publisher has named no address to write to.
record-error-subject = Error in a record
history-changes = What changed since version { $version }
history-same = No text changed.
history-long = This text changed, and is too long to be compared here. Both versions can be read.
history-more = More has changed than is shown here. Both versions can be read.
history-inserted = inserted:
history-deleted = deleted:
