# The page of a record, and the home page.

home-hint = Des mots, une expression entre guillemets ou la cote d’une recommandation.
home-states = { $count ->
    [one] concernant { $count } État
   *[other] concernant { $count } États
}
home-publishers = { $count ->
    [one] publiées par { $count } nœud
   *[other] publiées par { $count } nœuds
}
home-by-kind = Par type de fiche
home-by-state = Par groupe régional de l’ONU
home-all-states = Tous les États par ordre alphabétique
home-all-topics = Tous les sujets
home-more = Autres fiches récentes
home-part = Participer
home-part-mechanism = Un mécanisme national publie sur son propre nœud, ou sur un nœud hébergé pour lui qu’il peut reprendre avec ses clés. Ce qu’il publie, corrige et retire relève de sa seule décision.
home-part-anybody = Pour lire, vérifier et conserver une copie, aucune autorisation n’est nécessaire.
period-from = début : { $date }
period-to = fin : { $date }
retrieved-excerpt = par extraits
record-newest = Lire la version actuelle
record-older = Vous lisez la version { $version }. Une version plus récente l’a remplacée.
record-not-assessed = Non évalué par le réseau.
record-beside = Langues côte à côte
record-beside-all = Toutes
record-machine-translation = traduction automatique
record-about-version = concerne la version { $version }
record-attested = Ce qu’attestent d’autres
record-attested-text = Déclarations d’autres nœuds sur cette fiche. Chacune est elle-même une fiche signée ; le réseau n’en a évalué aucune.
record-translated = Traductions non officielles
record-translated-text = Faites par d’autres nœuds. Elles restent non officielles tant que l’auteur de cette fiche ne les a pas adoptées.
record-mentioned = Fiches qui renvoient à celle-ci
record-cite = Comment citer
record-cite-version = Version { $version }, { $date }
record-cite-text = L’adresse mène à cette version. Son empreinte SHA-256 montre qu’une copie est identique à la lettre près.
record-identifier = Identifiant
record-error = Signaler une erreur
record-error-text = Écrivez à l’unité indiquée ici. L’adresse de cette fiche figure déjà dans l’objet.
record-error-nobody = L’auteur de la publication n’a indiqué aucune adresse.
record-error-subject = Erreur dans une fiche
history-changes = Ce qui a changé depuis la version { $version }
history-same = Aucun texte n’a changé.
history-long = Ce texte a changé et il est trop long pour être comparé ici. Les deux versions peuvent être lues.
history-more = D’autres changements ne sont pas montrés ici. Les deux versions peuvent être lues.
history-inserted = ajouté :
history-deleted = supprimé :
