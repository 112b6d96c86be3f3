# States, profiles of mechanisms, and profiles side by side.

nav-states = States
states-title = States
states-text = The States about which records are held here. If a State is not listed, nothing about it has been received here yet; that says nothing else about it.
states-order = Order of the list
states-by-group = By UN regional group
states-alphabetical = In alphabetical order
states-no-group = In no regional group
states-invented = Invented States, for demonstrations
states-none = No record about a State is held here yet.
state-nothing = Nothing about this State has been received here yet. That says nothing else about it.
state-no-profile = No profile of a mechanism of this State has been received here yet.
state-record = The signed record, with its history and its proof
state-more-profiles = More profiles
state-along = Download the profile
state-docx = Profile as a document (DOCX)
state-json = Profile as data (JSON)
state-all = Search in everything about this State
state-nodes = Nodes that speak for this State
state-nodes-text = Only what these nodes publish is the word of the State’s own mechanisms.
profile-translated = translated from: { $language }
compare-title = Profiles side by side
compare-text = What profiles of mechanisms say, section by section. States stand in alphabetical order. An empty place means that nothing was written there, and nothing else.
compare-state = State { $number }
compare-other = With
compare-show = Show
compare-nobody = No profile of a mechanism is held here yet.
compare-one = Choose at least two States.
compare-too-many = Four States at most stand side by side; these are the first ones that were asked for.
compare-no-profile = No profile received here yet
compare-others = Other profiles
kinds-mechanism-profile = Mechanism profiles
kinds-good-practice = Good practices
kinds-lesson-learned = Lessons learned
kinds-resource = Resources
kinds-exchange-offer = Exchange offers
kinds-exchange-request = Exchange requests
kinds-exchange-arrangement = Exchange arrangements
kinds-exchange-report = Exchange reports
kinds-event = Events and consultations
shelf-all = { $count ->
    [one] { $count } record in the search
   *[other] All { $count } records in the search
}
