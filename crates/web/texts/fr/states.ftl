# States, profiles of mechanisms, and profiles side by side.

nav-states = États
states-title = États
states-text = Les États au sujet desquels des fiches sont conservées ici. Si un État n’y figure pas, rien à son sujet n’a encore été reçu ici ; cela ne dit rien d’autre de lui.
states-order = Ordre de la liste
states-by-group = Par groupe régional de l’ONU
states-alphabetical = Par ordre alphabétique
states-no-group = Dans aucun groupe régional
states-invented = États inventés, pour les démonstrations
states-none = Aucune fiche au sujet d’un État n’est encore conservée ici.
state-nothing = Rien au sujet de cet État n’a encore été reçu ici. Cela ne dit rien d’autre de lui.
state-no-profile = Aucun profil d’un mécanisme de cet État n’a encore été reçu ici.
state-record = La fiche signée, avec son historique et sa preuve
state-more-profiles = Autres profils
state-along = Télécharger le profil
state-docx = Profil sous forme de document (DOCX)
state-json = Profil sous forme de données (JSON)
state-all = Rechercher dans tout ce qui concerne cet État
state-nodes = Nœuds qui s’expriment pour cet État
state-nodes-text = Seul ce que publient ces nœuds est la parole des mécanismes de l’État.
profile-translated = traduit de : { $language }
compare-title = Profils côte à côte
compare-text = Ce que disent les profils des mécanismes, section par section. Les États sont rangés par ordre alphabétique. Une case vide signifie que rien n’y a été écrit, et rien d’autre.
compare-state = État { $number }
compare-other = Avec
compare-show = Afficher
compare-nobody = Aucun profil de mécanisme n’est encore conservé ici.
compare-one = Choisissez au moins deux États.
compare-too-many = Quatre États au plus figurent côte à côte ; voici les premiers demandés.
compare-no-profile = Aucun profil encore reçu ici
compare-others = Autres profils
kinds-mechanism-profile = Profils de mécanismes
kinds-good-practice = Bonnes pratiques
kinds-lesson-learned = Enseignements tirés de l’expérience
kinds-resource = Ressources
kinds-exchange-offer = Offres d’échange
kinds-exchange-request = Demandes d’échange
kinds-exchange-arrangement = Arrangements d’échange
kinds-exchange-report = Comptes rendus d’échanges
kinds-event = Manifestations et consultations
shelf-all = { $count ->
    [one] { $count } fiche dans la recherche
   *[other] Les { $count } fiches dans la recherche
}
