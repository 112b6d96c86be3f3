# States, profiles of mechanisms, and profiles side by side.

nav-states = 国家
states-title = 国家
states-text = 此处保存有其相关记录的国家。未列出的国家，只表示此处尚未收到与其有关的内容，别无他意。
states-order = 列表顺序
states-by-group = 按联合国区域组
states-alphabetical = 按名称顺序
states-no-group = 不属于任何区域组
states-invented = 演示用的虚构国家
states-none = 此处尚无关于任何国家的记录。
state-nothing = 此处尚未收到与该国有关的内容，别无他意。
state-no-profile = 此处尚未收到该国机制的简介。
state-record = 已签名的记录及其历史和证明
state-more-profiles = 更多简介
state-along = 下载简介
state-docx = 简介文档（DOCX）
state-json = 简介数据（JSON）
state-all = 在该国的所有记录中检索
state-nodes = 代表该国的节点
state-nodes-text = 只有这些节点发布的内容出自该国自身的机制。
profile-translated = 译自：{ $language }
compare-title = 简介并列
compare-text = 各机制简介所述内容，逐节排列。国家按名称顺序排列。空白处只表示该处没有填写，别无他意。
compare-state = 国家 { $number }
compare-other = 与
compare-show = 显示
compare-nobody = 此处尚无机制简介。
compare-one = 请至少选择两个国家。
compare-too-many = 最多并列四个国家；此处为所要求的前几个。
compare-no-profile = 尚未收到简介
compare-others = 其他简介
kinds-mechanism-profile = 机制简介
kinds-good-practice = 良好做法
kinds-lesson-learned = 经验教训
kinds-resource = 资源
kinds-exchange-offer = 交流提议
kinds-exchange-request = 交流请求
kinds-exchange-arrangement = 交流安排
kinds-exchange-report = 交流报告
kinds-event = 活动和协商
shelf-all = { $count ->
   *[other] 在检索中查看全部 { $count } 条记录
}
