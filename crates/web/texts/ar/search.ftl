# Searching, and the whole collection as one file.
search = بحث
search-box = البحث في كل السجلات
search-label = عمّ تبحث؟
search-go = ابحث
search-hint = كلمات، أو «عبارة» بين علامتي تنصيص، أو بداية كلمة تليها *. رمز التوصية ورقم فقرتها، أو نصها الملصق هنا، يعثران على الممارسات التي تستجيب لها.
search-readable = البحث دون ما تعذرت قراءته
search-chosen = عوامل التصفية المختارة
search-drop = إزالة عامل التصفية
search-order = الترتيب
search-order-relevance = الأنسب أولًا
search-order-newest = الأحدث أولًا
search-narrow = تضييق النتائج
search-nothing = لا يوجد سجل يطابق كل هذا.
search-nothing-advice = جرّب كلمات أقل، أو كتابة أخرى، أو بداية كلمة تليها *.
search-all = كل السجلات
search-withdrawn = مسحوب
search-untitled = سجل بلا نص
search-answers-it = يستجيب لهذه التوصية، وفق ما يرد في السجل.
search-pages = صفحات النتائج
search-previous = الصفحة السابقة
search-next = الصفحة التالية
search-no-page = لا توجد صفحة نتائج كهذه.
search-first-page = إلى الصفحة الأولى
search-page = الصفحة { $count } من { $of }
search-forms = هذه النتائج بصيغة:
search-withdrawn-title = السجلات المسحوبة
search-withdrawn-without = لا تظهر
search-withdrawn-with = تظهر مع غيرها
search-withdrawn-only = هي وحدها
search-no-index = يجري إعداد فهرس البحث. عُد بعد دقيقة؛ ويمكن في هذه الأثناء قراءة كل السجلات.
search-behind = تُضاف سجلات جديدة إلى الفهرس: لا يمكن بعد العثور على كل شيء.
search-too-long = النص طويل جدًا: جرى البحث عن بدايته فقط.
search-bad-choice = ليس لعامل التصفية «{ $group }» قيمة «{ $reason }».
search-bad-word = تعذرت قراءة هذا الجزء من العنوان: { $reason }
search-bad-choices = يقبل البحث الواحد { $of } عامل تصفية على الأكثر.
search-answers = يجري البحث عن السجلات التي تستجيب لتوصيات { $reason }.
search-answers-paragraph = يجري البحث عن السجلات التي تستجيب للفقرة { $index } من { $reason }.
search-records = { $count ->
        [zero] لا سجلات
        [two] سجلان
        [few] { $count } سجلات
        [many] { $count } سجلًا
        [one] سجل واحد
       *[other] { $count } سجل
    }
search-count = ({ $count })
search-found-in = لغة النص المطابق: { $reason }
search-without = دون «{ $reason }»
search-without-words = دون الكلمات
facet-kind = نوع السجل
facet-state = الدولة
facet-region = مجموعة الأمم المتحدة الإقليمية
facet-situation = مجموعات البلدان ذات الأوضاع الخاصة
facet-capacity = القدرات
facet-topic = المواضيع
facet-theme = مواضيع حقوق الإنسان
facet-persons = الأشخاص المعنيون
facet-sdg = أهداف التنمية المستدامة
facet-mechanism = آليات حقوق الإنسان
facet-language = اللغات
facet-year = السنة
facet-says = مصدر المعلومات
facet-feed = القناة
facet-node = الناشر
facet-group = المجموعة
download = المجموعة كاملة
download-lead = كل السجلات العامة المحفوظة هنا في ملف واحد، مع كل ما يلزم للتحقق منها دون الوثوق بهذا الموقع.
download-file = تنزيل الملف
download-what = محتواه
download-what-text = لكل قناة: كل القيود في سجل قيودها، والسجلات التي لم تُمحَ، ونقطة المراقبة الموقَّعة، وتوقيعات من تسلّموها، وسجل العقدة ومفاتيحها. وتبقى السجلات المسحوبة فيه ما لم يُمحَ نصها.
download-check = كيفية قراءته والتحقق منه
download-check-text = العقدة التي تتابع هؤلاء الناشرين تأخذ الملف كما لو جلبت كل شيء بنفسها، وتتحقق أثناء ذلك من كل توقيع وكل قيد.
download-table = لجدول بيانات أو برنامج، دون براهين:
download-feeds = القنوات التي في الملف
download-entries = القيود
