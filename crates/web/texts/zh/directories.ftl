# Topics, goals, human rights mechanisms and groups.

nav-topics = 专题
subjects = 专题列表
topics-title = 专题
topics-text = 各机制分享的工作内容，按专题排列。
sdgs-title = 可持续发展目标
sdgs-text = 作者认为与某项目标或其具体目标有关的记录。
sdgs-targets = 具体目标
mechanisms-title = 人权机制
mechanisms-text = 每个机构：与其相应的做法，以及可供咨询的单位。
records = { $count ->
   *[other] { $count } 条记录
}
subject-nothing = 此处尚无归入本条的内容。
subject-units = 可供咨询的单位
subject-units-text = 以最新记录所列为准。合作应请求并经有关国家同意进行。
subject-unit = 单位
subject-email = 联系地址
subject-named-in = 所列记录
subject-all = 在归入本条的所有记录中检索
group = 小组
group-text = 网络中以小组形式合作的节点，及其向所有人公开发布的内容。
group-members = 成员
group-dissolved = 该小组没有成员。
group-record = 网络关于该小组的决定
group-nothing = 成员尚未向所有人公开发布内容。
group-all = 在该小组的所有记录中检索
