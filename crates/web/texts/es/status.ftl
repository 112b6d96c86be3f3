# Withdrawn records, and how the copies stand.

nav-more = Sobre los datos de este sitio
withdrawals-title = Fichas retiradas
withdrawals-text = Quien publica una ficha puede retirarla en cualquier momento. La retirada queda en el registro de su canal, a la vista de todos.
withdrawals-none = No se ha retirado ninguna ficha.
withdrawals-date = Retirada el
withdrawals-record = Ficha
withdrawals-by = Retirada por
withdrawals-reason = Motivo
withdrawals-pages = Páginas del registro
withdrawals-newer = Retiradas posteriores
withdrawals-older = Retiradas anteriores
network-status-title = Estado de la red
network-status-text = Cuándo se recibió aquí cada canal por última vez y cuántos nodos han confirmado una copia completa. Se trata de servidores y de comunicaciones; no dice nada de ningún Estado.
network-status-none = Todavía no se conserva aquí ningún canal.
network-status-received = Última recepción
network-status-copies = Copias confirmadas
network-status-copies-text = Una copia cuenta cuando su nodo ha firmado que conserva todas las entradas. Los nodos temporalmente inaccesibles se vuelven a intentar solos; lo recibido de ellos sigue siendo legible.
copies = { $count ->
    [one] { $count } copia
   *[other] { $count } copias
}
index-current = La búsqueda abarca todo lo recibido aquí.
index-behind = La búsqueda todavía no abarca todo lo recibido aquí.
