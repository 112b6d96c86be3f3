# Topics, goals, human rights mechanisms and groups.

nav-topics = المواضيع
subjects = قوائم المواضيع
topics-title = المواضيع
topics-text = ما تتبادله الآليات عن عملها، بحسب المواضيع.
sdgs-title = أهداف التنمية المستدامة
sdgs-text = السجلات التي يربطها أصحابها بأحد الأهداف أو بإحدى غاياته.
sdgs-targets = الغايات
mechanisms-title = آليات حقوق الإنسان
mechanisms-text = لكل هيئة: الممارسات المتصلة بها والوحدات التي يمكن سؤالها عنها.
records = { $count ->
    [zero] لا سجلات
    [one] سجل واحد
    [two] سجلان
    [few] { $count } سجلات
    [many] { $count } سجلًا
   *[other] { $count } سجل
}
subject-nothing = لم يُصنَّف هنا شيء تحت هذا العنوان بعد.
subject-units = الوحدات التي يمكن سؤالها
subject-units-text = كما وردت في أحدث السجلات. ويجري التعاون بناءً على الطلب وبموافقة الدولة المعنية.
subject-unit = الوحدة
subject-email = العنوان
subject-named-in = وردت في
subject-all = البحث في كل ما صُنّف هنا
group = مجموعة
group-text = عُقد في شبكة تعمل معًا كمجموعة، وما نشرته للجميع.
group-members = الأعضاء
group-dissolved = ليس لهذه المجموعة أعضاء.
group-record = قرار الشبكة بشأن هذه المجموعة
group-nothing = لم ينشر الأعضاء شيئًا للجميع بعد.
group-all = البحث في كل ما نشرته هذه المجموعة
