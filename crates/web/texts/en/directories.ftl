# Topics, goals, human rights mechanisms and groups.

nav-topics = Topics
subjects = Lists of subjects
topics-title = Topics
topics-text = What mechanisms share about their work, by topic.
sdgs-title = Sustainable Development Goals
sdgs-text = Records that their authors relate to a Goal or to one of its targets.
sdgs-targets = Targets
mechanisms-title = Human rights mechanisms
mechanisms-text = For each body: the practices that answer to it, and the units that can be asked about them.
records = { $count ->
    [one] { $count } record
   *[other] { $count } records
}
subject-nothing = Nothing has been filed under this here yet.
subject-units = Units that can be asked
subject-units-text = As named in the newest records. Cooperation happens upon request and with the consent of the State concerned.
subject-unit = Unit
subject-email = Address
subject-named-in = Named in
subject-all = Search in everything filed here
group = Group
group-text = Nodes of a network that work together as a group, and what they have published for everybody.
group-members = Members
group-dissolved = This group has no members.
group-record = The network’s decision about this group
group-nothing = The members have published nothing for everybody yet.
group-all = Search in everything of this group
