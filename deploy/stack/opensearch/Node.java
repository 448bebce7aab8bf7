import org.codelibs.opensearch.runner.OpenSearchRunner;

/** One OpenSearch node on loopback. Replaces the main of the runner, which ends silently when a start fails. */
public class Node {
  public static void main(String[] a) throws Exception {
    var runner = new OpenSearchRunner();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try { runner.close(); } catch (Exception e) { e.printStackTrace(); }
    }));
    try {
      runner.onBuild((n, s) -> {
        s.put("network.host", "127.0.0.1");
        s.put("http.port", a[1]);
        s.put("transport.port", a[2]);
        s.put("discovery.type", "single-node");
        s.put("action.auto_create_index", "false");
      }).build(OpenSearchRunner.newConfigs().clusterName("waybill").numOfNode(1).basePath(a[0]).disableESLogger());
    } catch (Throwable t) {
      t.printStackTrace();
      System.exit(1);
    }
    while (!runner.isClosed()) Thread.sleep(1000);
  }
}
