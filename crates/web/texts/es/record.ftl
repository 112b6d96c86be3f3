# The page of a record, and the home page.

home-hint = Palabras, una frase entre comillas o la signatura de una recomendación.
home-states = { $count ->
    [one] sobre { $count } Estado
   *[other] sobre { $count } Estados
}
home-publishers = { $count ->
    [one] publicadas por { $count } nodo
   *[other] publicadas por { $count } nodos
}
home-by-kind = Por tipo de ficha
home-by-state = Por grupo regional de las Naciones Unidas
home-all-states = Todos los Estados por orden alfabético
home-all-topics = Todos los temas
home-more = Más fichas recientes
home-part = Participar
home-part-mechanism = Un mecanismo nacional publica en su propio nodo, o en uno alojado para él que puede llevarse con sus claves. Lo que publica, corrige y retira es decisión suya.
home-part-anybody = Para leer, comprobar y guardar una copia no hace falta permiso.
period-from = inicio: { $date }
period-to = fin: { $date }
retrieved-excerpt = en extractos
record-newest = Leer la versión actual
record-older = Está leyendo la versión { $version }. Una versión más reciente la ha sustituido.
record-not-assessed = No evaluado por la red.
record-beside = Idiomas en paralelo
record-beside-all = Todos
record-machine-translation = traducción automática
record-about-version = sobre la versión { $version }
record-attested = Lo que otros atestiguan
record-attested-text = Declaraciones de otros nodos sobre esta ficha. Cada una es a su vez una ficha firmada; la red no ha evaluado ninguna.
record-translated = Traducciones no oficiales
record-translated-text = Hechas por otros nodos. No son oficiales mientras quien publica esta ficha no las adopte.
record-mentioned = Fichas que remiten a esta
record-cite = Cómo citar
record-cite-version = Versión { $version }, { $date }
record-cite-text = La dirección lleva a esta versión. Su SHA-256 muestra que una copia es idéntica hasta la última letra.
record-identifier = Identificador
record-error = Comunicar un error
record-error-text = Escriba a la unidad aquí indicada. La dirección de esta ficha ya figura en el asunto.
record-error-nobody = Quien la publica no ha indicado ninguna dirección.
record-error-subject = Error en una ficha
history-changes = Qué ha cambiado desde la versión { $version }
history-same = Ningún texto ha cambiado.
history-long = Este texto ha cambiado y es demasiado largo para compararlo aquí. Pueden leerse ambas versiones.
history-more = Hay más cambios de los que se muestran aquí. Pueden leerse ambas versiones.
history-inserted = añadido:
history-deleted = suprimido:
