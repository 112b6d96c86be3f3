# Topics, goals, human rights mechanisms and groups.

nav-topics = Tópicos
subjects = Listas de assuntos
topics-title = Tópicos
topics-text = O que os mecanismos partilham sobre o seu trabalho, por tópico.
sdgs-title = Objetivos de Desenvolvimento Sustentável
sdgs-text = As fichas que os seus autores relacionam com um Objetivo ou com uma das suas metas.
sdgs-targets = Metas
mechanisms-title = Mecanismos de direitos humanos
mechanisms-text = De cada órgão: as práticas que lhe respondem e as unidades a que se pode perguntar.
records = { $count ->
    [one] { $count } ficha
   *[other] { $count } fichas
}
subject-nothing = Ainda nada foi classificado aqui sob esta entrada.
subject-units = Unidades a que se pode perguntar
subject-units-text = Tal como as nomeiam as fichas mais recentes. A cooperação faz-se a pedido e com o consentimento do Estado em causa.
subject-unit = Unidade
subject-email = Endereço
subject-named-in = Nomeada em
subject-all = Pesquisar em tudo o que está classificado aqui
group = Grupo
group-text = Nós de uma rede que trabalham em grupo, e o que publicaram para todos.
group-members = Membros
group-dissolved = Este grupo não tem membros.
group-record = A decisão da rede sobre este grupo
group-nothing = Os membros ainda nada publicaram para todos.
group-all = Pesquisar em tudo o que este grupo publicou
