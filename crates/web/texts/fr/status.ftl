# Withdrawn records, and how the copies stand.

nav-more = Au sujet des données de ce site
withdrawals-title = Fiches retirées
withdrawals-text = Celui qui publie une fiche peut la retirer à tout moment. Le retrait reste dans le journal de son flux, visible par tous.
withdrawals-none = Aucune fiche n’a été retirée.
withdrawals-date = Retirée le
withdrawals-record = Fiche
withdrawals-by = Retirée par
withdrawals-reason = Motif
withdrawals-pages = Pages du journal
withdrawals-newer = Retraits plus récents
withdrawals-older = Retraits plus anciens
network-status-title = État du réseau
network-status-text = Quand chaque flux a été reçu ici pour la dernière fois, et combien de nœuds en ont confirmé une copie complète. Il s’agit de serveurs et de liaisons ; cela ne dit rien d’aucun État.
network-status-none = Aucun flux n’est encore conservé ici.
network-status-received = Dernière réception
network-status-copies = Copies confirmées
network-status-copies-text = Une copie compte dès que son nœud a signé qu’il conserve toutes les entrées. Les nœuds momentanément injoignables sont recontactés automatiquement ; ce qu’on a reçu d’eux reste lisible.
copies = { $count ->
    [one] { $count } copie
   *[other] { $count } copies
}
index-current = La recherche couvre tout ce qui a été reçu ici.
index-behind = La recherche ne couvre pas encore tout ce qui a été reçu ici.
