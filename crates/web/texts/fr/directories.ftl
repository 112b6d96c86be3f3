# Topics, goals, human rights mechanisms and groups.

nav-topics = Sujets
subjects = Listes de sujets
topics-title = Sujets
topics-text = Ce que les mécanismes partagent de leur travail, par sujet.
sdgs-title = Objectifs de développement durable
sdgs-text = Les fiches que leurs auteurs rattachent à un objectif ou à l’une de ses cibles.
sdgs-targets = Cibles
mechanisms-title = Mécanismes des droits de l’homme
mechanisms-text = Pour chaque organe : les pratiques qui lui répondent et les unités auxquelles s’adresser.
records = { $count ->
    [one] { $count } fiche
   *[other] { $count } fiches
}
subject-nothing = Rien n’a encore été classé ici sous cette entrée.
subject-units = Unités auxquelles s’adresser
subject-units-text = Telles que les fiches les plus récentes les nomment. La coopération se fait sur demande et avec le consentement de l’État concerné.
subject-unit = Unité
subject-email = Adresse
subject-named-in = Nommée dans
subject-all = Rechercher dans tout ce qui est classé ici
group = Groupe
group-text = Des nœuds d’un réseau qui travaillent en groupe, et ce qu’ils ont publié pour tous.
group-members = Membres
group-dissolved = Ce groupe n’a pas de membres.
group-record = La décision du réseau au sujet de ce groupe
group-nothing = Les membres n’ont encore rien publié pour tous.
group-all = Rechercher dans tout ce que ce groupe a publié
