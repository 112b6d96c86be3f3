# The page of a record, and the home page.

home-hint = Слова, выражение в кавычках или условное обозначение рекомендации.
home-states = { $count ->
    [one] о { $count } государстве
   *[other] о { $count } государствах
}
home-publishers = { $count ->
    [one] опубликованы { $count } узлом
   *[other] опубликованы { $count } узлами
}
home-by-kind = По виду записи
home-by-state = По региональным группам ООН
home-all-states = Все государства в алфавитном порядке
home-all-topics = Все темы
home-more = Другие новые записи
home-part = Как участвовать
home-part-mechanism = Национальный механизм публикует записи на собственном узле или на узле, который для него размещают и который он может забрать вместе с ключами. Что публиковать, исправлять и отзывать, решает он сам.
home-part-anybody = Чтобы читать, проверять и хранить копию, разрешения не нужно.
period-from = начало: { $date }
period-to = окончание: { $date }
retrieved-excerpt = в выдержках
record-newest = Читать действующую версию
record-older = Вы читаете версию { $version }. Ее заменила более новая версия.
record-not-assessed = Сетью не оценивалось.
record-beside = Языки рядом
record-beside-all = Все
record-machine-translation = машинный перевод
record-about-version = о версии { $version }
record-attested = Что подтверждают другие
record-attested-text = Заявления других узлов об этой записи. Каждое само является подписанной записью; сеть не оценивала ни одного из них.
record-translated = Неофициальные переводы
record-translated-text = Выполнены другими узлами. Они остаются неофициальными, пока их не примет тот, кто опубликовал запись.
record-mentioned = Записи, которые ссылаются на эту
record-cite = Как ссылаться
record-cite-version = Версия { $version }, { $date }
record-cite-text = Адрес ведет к этой версии. Ее SHA-256 показывает, что копия совпадает до последней буквы.
record-identifier = Идентификатор
record-error = Сообщить об ошибке
record-error-text = Напишите подразделению, указанному здесь. Адрес этой записи уже стоит в теме письма.
record-error-nobody = Опубликовавший запись не указал адреса для писем.
record-error-subject = Ошибка в записи
history-changes = Что изменилось после версии { $version }
history-same = Тексты не изменились.
history-long = Этот текст изменился; он слишком длинен, чтобы сравнивать его здесь. Можно прочитать обе версии.
history-more = Изменений больше, чем показано здесь. Можно прочитать обе версии.
history-inserted = добавлено:
history-deleted = удалено:
