# Withdrawn records, and how the copies stand.

nav-more = О данных этого сайта
withdrawals-title = Отозванные записи
withdrawals-text = Опубликовавший запись может отозвать ее в любое время. Сам отзыв остается в журнале ленты и виден всем.
withdrawals-none = Ни одна запись не отозвана.
withdrawals-date = Дата отзыва
withdrawals-record = Запись
withdrawals-by = Отозвано узлом
withdrawals-reason = Причина
withdrawals-pages = Страницы журнала
withdrawals-newer = Более поздние
withdrawals-older = Более ранние
network-status-title = Состояние сети
network-status-text = Когда каждая лента была получена здесь в последний раз и сколько узлов подтвердили полную копию. Речь идет о серверах и линиях связи; это ничего не говорит ни об одном государстве.
network-status-none = Здесь пока не хранится ни одной ленты.
network-status-received = Последнее получение
network-status-copies = Подтвержденные копии
network-status-copies-text = Копия учитывается, когда ее узел подписал, что хранит все записи журнала. К временно недоступным узлам обращение повторяется само; полученное от них остается доступным.
copies = { $count ->
    [one] { $count } копия
    [few] { $count } копии
   *[other] { $count } копий
}
index-current = Поиск охватывает все, что здесь получено.
index-behind = Поиск пока охватывает не все, что здесь получено.
