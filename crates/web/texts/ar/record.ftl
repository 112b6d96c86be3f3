# The page of a record, and the home page.

home-hint = كلمات، أو عبارة بين علامتي اقتباس، أو رمز وثيقة توصية.
home-states = { $count ->
    [zero] ليست عن أي دولة
    [one] عن دولة واحدة
    [two] عن دولتين
    [few] عن { $count } دول
    [many] عن { $count } دولة
   *[other] عن { $count } دولة
}
home-publishers = { $count ->
    [zero] لم تنشرها أي عقدة
    [one] نشرتها عقدة واحدة
    [two] نشرتها عقدتان
    [few] نشرتها { $count } عُقد
    [many] نشرتها { $count } عقدة
   *[other] نشرتها { $count } عقدة
}
home-by-kind = حسب نوع السجل
home-by-state = حسب المجموعة الإقليمية للأمم المتحدة
home-all-states = جميع الدول حسب الترتيب الأبجدي
home-all-topics = جميع المواضيع
home-more = المزيد من السجلات الجديدة
home-part = المشاركة
home-part-mechanism = تنشر الآلية الوطنية على عقدة خاصة بها، أو على عقدة تستضاف لها ويمكنها أن تستردها مع مفاتيحها. وما تنشره وما تصححه وما تسحبه قرار يعود إليها.
home-part-anybody = لا تحتاج القراءة والتحقق والاحتفاظ بنسخة إلى إذن.
period-from = منذ { $date }
period-to = حتى { $date }
retrieved-excerpt = في مقتطفات
record-newest = قراءة النسخة الحالية
record-older = أنت تقرأ النسخة { $version }. وقد حلت محلها نسخة أحدث.
record-not-assessed = لم تقيّمه الشبكة.
record-beside = اللغات جنباً إلى جنب
record-beside-all = الكل
record-machine-translation = ترجمة آلية
record-about-version = بشأن النسخة { $version }
record-attested = ما يشهد به آخرون
record-attested-text = بيانات صادرة عن عُقد أخرى بشأن هذا السجل. وكل منها سجل موقّع قائم بذاته؛ ولم تقيّم الشبكة أياً منها.
record-translated = ترجمات غير رسمية
record-translated-text = أعدتها عُقد أخرى. وتظل غير رسمية إلى أن يعتمدها ناشر هذا السجل.
record-mentioned = سجلات تحيل إلى هذا السجل
record-cite = كيفية الاستشهاد
record-cite-version = النسخة { $version }، { $date }
record-cite-text = يؤدي العنوان إلى هذه النسخة. وتبين بصمتها SHA-256 أن أي صورة منها مطابقة لها حرفاً بحرف.
record-identifier = المعرّف
record-error = الإبلاغ عن خطأ
record-error-text = اكتب إلى الوحدة المذكورة هنا. وعنوان هذا السجل مدرج مسبقاً في موضوع الرسالة.
record-error-nobody = لم يذكر الناشر عنواناً للمراسلة.
record-error-subject = خطأ في سجل
history-changes = ما تغيّر منذ النسخة { $version }
history-same = لم يتغير أي نص.
history-long = تغيّر هذا النص، وهو أطول من أن يقارَن هنا. ويمكن قراءة النسختين.
history-more = التغييرات أكثر مما يظهر هنا. ويمكن قراءة النسختين.
history-inserted = أضيف:
history-deleted = حُذف:
