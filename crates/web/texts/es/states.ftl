# States, profiles of mechanisms, and profiles side by side.

nav-states = Estados
states-title = Estados
states-text = Los Estados sobre los que se conservan fichas aquí. Si un Estado no figura, todavía no se ha recibido nada sobre él; eso no dice nada más de ese Estado.
states-order = Orden de la lista
states-by-group = Por grupo regional de las Naciones Unidas
states-alphabetical = Por orden alfabético
states-no-group = En ningún grupo regional
states-invented = Estados inventados, para demostraciones
states-none = Todavía no se conserva aquí ninguna ficha sobre un Estado.
state-nothing = Todavía no se ha recibido aquí nada sobre este Estado. Eso no dice nada más de él.
state-no-profile = Todavía no se ha recibido aquí ningún perfil de un mecanismo de este Estado.
state-record = La ficha firmada, con su historial y su prueba
state-more-profiles = Más perfiles
state-along = Descargar el perfil
state-docx = Perfil como documento (DOCX)
state-json = Perfil como datos (JSON)
state-all = Buscar en todo lo relativo a este Estado
state-nodes = Nodos que hablan por este Estado
state-nodes-text = Solo lo que publican estos nodos es palabra de los mecanismos del propio Estado.
profile-translated = traducido de: { $language }
compare-title = Perfiles en paralelo
compare-text = Lo que dicen los perfiles de los mecanismos, sección por sección. Los Estados figuran por orden alfabético. Un espacio vacío significa que ahí no se escribió nada, y nada más.
compare-state = Estado { $number }
compare-other = Con
compare-show = Mostrar
compare-nobody = Todavía no se conserva aquí ningún perfil de un mecanismo.
compare-one = Elija al menos dos Estados.
compare-too-many = Caben cuatro Estados como máximo; estos son los primeros que se pidieron.
compare-no-profile = Todavía no se ha recibido ningún perfil
compare-others = Otros perfiles
kinds-mechanism-profile = Perfiles de mecanismos
kinds-good-practice = Buenas prácticas
kinds-lesson-learned = Enseñanzas extraídas
kinds-resource = Recursos
kinds-exchange-offer = Ofertas de intercambio
kinds-exchange-request = Solicitudes de intercambio
kinds-exchange-arrangement = Arreglos de intercambio
kinds-exchange-report = Informes de intercambio
kinds-event = Actividades y consultas
shelf-all = { $count ->
    [one] { $count } ficha en la búsqueda
   *[other] Las { $count } fichas en la búsqueda
}
