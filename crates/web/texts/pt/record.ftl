# The page of a record, and the home page.

home-hint = Palavras, uma expressão entre aspas ou a cota de uma recomendação.
home-states = { $count ->
    [one] sobre { $count } Estado
   *[other] sobre { $count } Estados
}
home-publishers = { $count ->
    [one] publicadas por { $count } nó
   *[other] publicadas por { $count } nós
}
home-by-kind = Por tipo de ficha
home-by-state = Por grupo regional da ONU
home-all-states = Todos os Estados por ordem alfabética
home-all-topics = Todos os tópicos
home-more = Mais fichas recentes
home-part = Participar
home-part-mechanism = Um mecanismo nacional publica no seu próprio nó, ou num nó alojado para ele que pode levar consigo com as suas chaves. O que publica, corrige e retira é decisão sua.
home-part-anybody = Para ler, verificar e guardar uma cópia não é preciso autorização.
period-from = início: { $date }
period-to = fim: { $date }
retrieved-excerpt = em excertos
record-newest = Ler a versão atual
record-older = Está a ler a versão { $version }. Uma versão mais recente substituiu-a.
record-not-assessed = Não avaliado pela rede.
record-beside = Línguas lado a lado
record-beside-all = Todas
record-machine-translation = tradução automática
record-about-version = sobre a versão { $version }
record-attested = O que outros atestam
record-attested-text = Declarações de outros nós sobre esta ficha. Cada uma é, por sua vez, uma ficha assinada; a rede não avaliou nenhuma.
record-translated = Traduções não oficiais
record-translated-text = Feitas por outros nós. Não são oficiais enquanto quem publica esta ficha não as adotar.
record-mentioned = Fichas que remetem para esta
record-cite = Como citar
record-cite-version = Versão { $version }, { $date }
record-cite-text = O endereço conduz a esta versão. O seu SHA-256 mostra que uma cópia é idêntica até à última letra.
record-identifier = Identificador
record-error = Comunicar um erro
record-error-text = Escreva à unidade aqui indicada. O endereço desta ficha já está no assunto.
record-error-nobody = Quem a publica não indicou nenhum endereço.
record-error-subject = Erro numa ficha
history-changes = O que mudou desde a versão { $version }
history-same = Nenhum texto mudou.
history-long = Este texto mudou e é demasiado longo para ser comparado aqui. Podem ler-se ambas as versões.
history-more = Há mais alterações do que as aqui mostradas. Podem ler-se ambas as versões.
history-inserted = inserido:
history-deleted = eliminado:
