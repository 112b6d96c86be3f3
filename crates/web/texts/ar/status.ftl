# Withdrawn records, and how the copies stand.

nav-more = عن بيانات هذا الموقع
withdrawals-title = السجلات المسحوبة
withdrawals-text = يجوز لمن نشر سجلًا أن يسحبه في أي وقت. ويبقى السحب مقيّدًا في سجل قناته ليراه الجميع.
withdrawals-none = لم يُسحب أي سجل.
withdrawals-date = تاريخ السحب
withdrawals-record = السجل
withdrawals-by = سحبته
withdrawals-reason = السبب
withdrawals-pages = صفحات السجل
withdrawals-newer = عمليات سحب أحدث
withdrawals-older = عمليات سحب أقدم
network-status-title = حالة الشبكة
network-status-text = متى وردت كل قناة إلى هنا آخر مرة، وكم عقدة أكدت احتفاظها بنسخة كاملة. والأمر يتعلق بالخوادم وخطوط الاتصال ولا يدل على شيء بشأن أي دولة.
network-status-none = لا تُحفظ هنا أي قناة بعد.
network-status-received = آخر استلام
network-status-copies = النسخ المؤكدة
network-status-copies-text = تُحسب النسخة متى وقّعت عقدتها أنها تحتفظ بجميع القيود. ويُعاد الاتصال تلقائيًا بالعُقد التي يتعذر الوصول إليها مؤقتًا؛ ويظل ما ورد منها متاحًا للقراءة.
copies = { $count ->
    [zero] لا نسخ
    [one] نسخة واحدة
    [two] نسختان
    [few] { $count } نسخ
    [many] { $count } نسخة
   *[other] { $count } نسخة
}
index-current = يشمل البحث كل ما ورد إلى هنا.
index-behind = لا يشمل البحث بعدُ كل ما ورد إلى هنا.
