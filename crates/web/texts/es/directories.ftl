# Topics, goals, human rights mechanisms and groups.

nav-topics = Temas
subjects = Listas de temas
topics-title = Temas
topics-text = Lo que los mecanismos comparten sobre su trabajo, por temas.
sdgs-title = Objetivos de Desarrollo Sostenible
sdgs-text = Las fichas que sus autores relacionan con un Objetivo o con una de sus metas.
sdgs-targets = Metas
mechanisms-title = Mecanismos de derechos humanos
mechanisms-text = De cada órgano: las prácticas que le responden y las unidades a las que se puede preguntar.
records = { $count ->
    [one] { $count } ficha
   *[other] { $count } fichas
}
subject-nothing = Todavía no se ha clasificado nada aquí bajo esta entrada.
subject-units = Unidades a las que se puede preguntar
subject-units-text = Tal como las nombran las fichas más recientes. La cooperación se presta previa solicitud y con el consentimiento del Estado de que se trate.
subject-unit = Unidad
subject-email = Dirección
subject-named-in = Nombrada en
subject-all = Buscar en todo lo clasificado aquí
group = Grupo
group-text = Nodos de una red que trabajan en grupo, y lo que han publicado para todos.
group-members = Miembros
group-dissolved = Este grupo no tiene miembros.
group-record = La decisión de la red sobre este grupo
group-nothing = Los miembros todavía no han publicado nada para todos.
group-all = Buscar en todo lo de este grupo
