# Withdrawn records, and how the copies stand.

nav-more = Sobre os dados deste sítio
withdrawals-title = Fichas retiradas
withdrawals-text = Quem publica uma ficha pode retirá-la a qualquer momento. A retirada fica no registo do seu canal, à vista de todos.
withdrawals-none = Nenhuma ficha foi retirada.
withdrawals-date = Retirada em
withdrawals-record = Ficha
withdrawals-by = Retirada por
withdrawals-reason = Motivo
withdrawals-pages = Páginas do registo
withdrawals-newer = Retiradas mais recentes
withdrawals-older = Retiradas mais antigas
network-status-title = Estado da rede
network-status-text = Quando cada canal foi aqui recebido pela última vez e quantos nós confirmaram uma cópia completa. Trata-se de servidores e de comunicações; nada diz sobre qualquer Estado.
network-status-none = Ainda não é guardado aqui nenhum canal.
network-status-received = Última receção
network-status-copies = Cópias confirmadas
network-status-copies-text = Uma cópia conta quando o seu nó assinou que guarda todas as entradas. Os nós temporariamente inacessíveis voltam a ser contactados automaticamente; o que deles se recebeu continua legível.
copies = { $count ->
    [one] { $count } cópia
   *[other] { $count } cópias
}
index-current = A pesquisa abrange tudo o que foi aqui recebido.
index-behind = A pesquisa ainda não abrange tudo o que foi aqui recebido.
