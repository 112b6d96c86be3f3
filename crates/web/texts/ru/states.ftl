# States, profiles of mechanisms, and profiles side by side.

nav-states = Государства
states-title = Государства
states-text = Государства, о которых здесь хранятся записи. Если государства нет в списке, о нем здесь пока ничего не получено; больше это ни о чем не говорит.
states-order = Порядок списка
states-by-group = По региональным группам ООН
states-alphabetical = В алфавитном порядке
states-no-group = Вне региональных групп
states-invented = Вымышленные государства для демонстраций
states-none = Здесь пока нет записей ни об одном государстве.
state-nothing = Здесь пока ничего не получено об этом государстве. Больше это ни о чем не говорит.
state-no-profile = Здесь пока не получено профилей механизмов этого государства.
state-record = Подписанная запись, ее история и доказательство
state-more-profiles = Другие профили
state-along = Скачать профиль
state-docx = Профиль в виде документа (DOCX)
state-json = Профиль в виде данных (JSON)
state-all = Поиск по всему, что касается этого государства
state-nodes = Узлы, выступающие от имени этого государства
state-nodes-text = Словом механизмов самого государства является только то, что публикуют эти узлы.
profile-translated = перевод; исходный язык: { $language }
compare-title = Профили рядом
compare-text = Что говорится в профилях механизмов, раздел за разделом. Государства расположены в алфавитном порядке. Пустое место означает лишь то, что там ничего не написано.
compare-state = Государство { $number }
compare-other = С государством
compare-show = Показать
compare-nobody = Здесь пока нет профилей механизмов.
compare-one = Выберите не менее двух государств.
compare-too-many = Рядом помещаются не более четырех государств; показаны первые из запрошенных.
compare-no-profile = Профиль пока не получен
compare-others = Другие профили
kinds-mechanism-profile = Профили механизмов
kinds-good-practice = Надлежащая практика
kinds-lesson-learned = Извлеченные уроки
kinds-resource = Ресурсы
kinds-exchange-offer = Предложения об обмене опытом
kinds-exchange-request = Запросы об обмене опытом
kinds-exchange-arrangement = Договоренности об обмене опытом
kinds-exchange-report = Отчеты об обмене опытом
kinds-event = Мероприятия и консультации
shelf-all = { $count ->
    [one] { $count } запись в поиске
    [few] Все { $count } записи в поиске
   *[other] Все { $count } записей в поиске
}
