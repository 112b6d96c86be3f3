# States, profiles of mechanisms, and profiles side by side.

nav-states = Estados
states-title = Estados
states-text = Os Estados sobre os quais são guardadas fichas aqui. Se um Estado não figura na lista, ainda nada foi recebido sobre ele; isso nada mais diz sobre esse Estado.
states-order = Ordem da lista
states-by-group = Por grupo regional das Nações Unidas
states-alphabetical = Por ordem alfabética
states-no-group = Em nenhum grupo regional
states-invented = Estados inventados, para demonstrações
states-none = Ainda não é guardada aqui nenhuma ficha sobre um Estado.
state-nothing = Ainda nada foi recebido aqui sobre este Estado. Isso nada mais diz sobre ele.
state-no-profile = Ainda não foi recebido aqui nenhum perfil de um mecanismo deste Estado.
state-record = A ficha assinada, com o seu historial e a sua prova
state-more-profiles = Mais perfis
state-along = Descarregar o perfil
state-docx = Perfil como documento (DOCX)
state-json = Perfil como dados (JSON)
state-all = Pesquisar em tudo o que diz respeito a este Estado
state-nodes = Nós que falam por este Estado
state-nodes-text = Só o que estes nós publicam é a palavra dos mecanismos do próprio Estado.
profile-translated = traduzido de: { $language }
compare-title = Perfis lado a lado
compare-text = O que dizem os perfis dos mecanismos, secção por secção. Os Estados figuram por ordem alfabética. Um espaço vazio significa que nada foi aí escrito, e nada mais.
compare-state = Estado { $number }
compare-other = Com
compare-show = Mostrar
compare-nobody = Ainda não é guardado aqui nenhum perfil de um mecanismo.
compare-one = Escolha pelo menos dois Estados.
compare-too-many = Figuram lado a lado quatro Estados, no máximo; estes são os primeiros que foram pedidos.
compare-no-profile = Ainda nenhum perfil recebido
compare-others = Outros perfis
kinds-mechanism-profile = Perfis de mecanismos
kinds-good-practice = Boas práticas
kinds-lesson-learned = Ensinamentos retirados
kinds-resource = Recursos
kinds-exchange-offer = Ofertas de intercâmbio
kinds-exchange-request = Pedidos de intercâmbio
kinds-exchange-arrangement = Arranjos de intercâmbio
kinds-exchange-report = Relatórios de intercâmbio
kinds-event = Eventos e consultas
shelf-all = { $count ->
    [one] { $count } ficha na pesquisa
   *[other] As { $count } fichas na pesquisa
}
