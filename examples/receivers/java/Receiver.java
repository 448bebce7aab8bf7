// A receiver of Waybill's webhooks, on Java 17 alone: WEBHOOK_SECRET=whsec_… PORT=8000 java Receiver.java
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Receiver {
  // In earnest: a table with webhook-id as its unique key, written in the transaction of your work.
  static final Set<String> seen = ConcurrentHashMap.newKeySet();

  static boolean verify(byte[] secret, Headers headers, byte[] body) throws Exception {
    String id = headers.getFirst("webhook-id"), timestamp = headers.getFirst("webhook-timestamp");
    String signatures = headers.getFirst("webhook-signature");
    if (id == null || timestamp == null || signatures == null || !timestamp.matches("\\d{1,15}")) return false;
    long ageSeconds = Instant.now().getEpochSecond() - Long.parseLong(timestamp);
    if (Math.abs(ageSeconds) > 300) return false; // Older or newer, it may be a replay.
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(secret, "HmacSHA256"));
    mac.update((id + "." + timestamp + ".").getBytes("UTF-8"));
    String expected = "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
    for (String signature : signatures.split(" ")) // Several while a secret rotates.
      if (MessageDigest.isEqual(signature.getBytes("UTF-8"), expected.getBytes("UTF-8"))) return true;
    return false;
  }

  public static void main(String[] arguments) throws Exception {
    byte[] secret = Base64.getDecoder().decode(System.getenv("WEBHOOK_SECRET").replaceFirst("^whsec_", ""));
    int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8000"));
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
    server.setExecutor(Executors.newFixedThreadPool(8));
    server.createContext("/", exchange -> {
      byte[] body = exchange.getRequestBody().readAllBytes(); // As it came: parsing first breaks the signature.
      int status = 401;
      try {
        if (verify(secret, exchange.getRequestHeaders(), body)) {
          String id = exchange.getRequestHeaders().getFirst("webhook-id");
          if (seen.add(id)) System.out.println(id + " " + field(body, "event") + " of order " + field(body, "order_id"));
          status = 204; // A repeat is acknowledged too, or it comes again.
        }
      } catch (Exception unexpected) {
        status = 500; // Waybill tries again later.
      }
      exchange.sendResponseHeaders(status, -1);
      exchange.close();
    });
    server.start();
    System.out.println("listening");
  }

  // Your JSON library does this better; the example is to run on Java alone.
  static String field(byte[] body, String name) {
    var matcher = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(new String(body));
    return matcher.find() ? matcher.group(1) : "";
  }
}
