# Withdrawn records, and how the copies stand.

nav-more = 关于本网站数据
withdrawals-title = 已撤回的记录
withdrawals-text = 发布者可随时撤回记录。撤回一事保留在其记录流的日志中，人人可见。
withdrawals-none = 没有记录被撤回。
withdrawals-date = 撤回日期
withdrawals-record = 记录
withdrawals-by = 撤回者
withdrawals-reason = 原因
withdrawals-pages = 日志页面
withdrawals-newer = 较新的撤回
withdrawals-older = 较早的撤回
network-status-title = 网络状况
network-status-text = 各记录流最近一次在此接收的时间，以及已确认持有完整副本的节点数。这只涉及服务器和通信线路，不对任何国家作任何表示。
network-status-none = 此处尚未保存任何记录流。
network-status-received = 最近接收
network-status-copies = 已确认的副本
network-status-copies-text = 节点签名确认持有全部条目后，其副本才计入。暂时无法联系的节点会自动重试；已从其收到的内容仍可阅读。
copies = { $count ->
   *[other] { $count } 份副本
}
index-current = 检索涵盖此处收到的全部内容。
index-behind = 检索尚未涵盖此处收到的全部内容。
