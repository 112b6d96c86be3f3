# States, profiles of mechanisms, and profiles side by side.

nav-states = الدول
states-title = الدول
states-text = الدول التي تُحفظ هنا سجلات بشأنها. وإذا لم ترد دولة في القائمة فذلك يعني فقط أنه لم يصل إلى هنا شيء بشأنها بعد.
states-order = ترتيب القائمة
states-by-group = بحسب المجموعات الإقليمية للأمم المتحدة
states-alphabetical = بالترتيب الأبجدي
states-no-group = خارج المجموعات الإقليمية
states-invented = دول متخيَّلة لأغراض العرض
states-none = لا تُحفظ هنا بعدُ سجلات بشأن أي دولة.
state-nothing = لم يصل إلى هنا شيء بشأن هذه الدولة بعد. ولا يدل ذلك على شيء آخر.
state-no-profile = لم تصل إلى هنا بعدُ لمحة عن آلية لهذه الدولة.
state-record = السجل الموقّع وتاريخه وبرهانه
state-more-profiles = لمحات أخرى
state-along = تنزيل اللمحة
state-docx = اللمحة كوثيقة (DOCX)
state-json = اللمحة كبيانات (JSON)
state-all = البحث في كل ما يتعلق بهذه الدولة
state-nodes = العُقد التي تتكلم باسم هذه الدولة
state-nodes-text = ما تنشره هذه العُقد وحدها هو كلام آليات الدولة نفسها.
profile-translated = مترجم من: { $language }
compare-title = لمحات جنبًا إلى جنب
compare-text = ما تقوله اللمحات عن الآليات، قسمًا قسمًا. والدول مرتبة ترتيبًا أبجديًا. والخانة الفارغة تعني فقط أنه لم يُكتب فيها شيء.
compare-state = الدولة { $number }
compare-other = مع
compare-show = عرض
compare-nobody = لا تُحفظ هنا بعدُ لمحات عن الآليات.
compare-one = اختر دولتين على الأقل.
compare-too-many = تُعرض أربع دول على الأكثر؛ وهذه أولى الدول المطلوبة.
compare-no-profile = لم تصل لمحة بعد
compare-others = لمحات أخرى
kinds-mechanism-profile = لمحات عن الآليات
kinds-good-practice = ممارسات جيدة
kinds-lesson-learned = دروس مستفادة
kinds-resource = موارد
kinds-exchange-offer = عروض تبادل
kinds-exchange-request = طلبات تبادل
kinds-exchange-arrangement = ترتيبات تبادل
kinds-exchange-report = تقارير عن التبادل
kinds-event = فعاليات ومشاورات
shelf-all = { $count ->
    [one] سجل واحد في البحث
    [two] السجلان في البحث
    [few] السجلات كلها في البحث ({ $count })
    [many] السجلات كلها في البحث ({ $count })
   *[other] السجلات كلها في البحث ({ $count })
}
