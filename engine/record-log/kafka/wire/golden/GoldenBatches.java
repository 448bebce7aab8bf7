import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.*;
import org.apache.kafka.common.record.internal.*;

/** Prints batches.json: batches as Kafka's own Java classes (kafka-clients 4.4.0) write them. */
public class GoldenBatches {
  static byte[] text(String value) { return value.getBytes(StandardCharsets.UTF_8); }

  /** Record n: see `goldenRecord` in record-batch-reader.test.ts. */
  static SimpleRecord record(int n) {
    byte[] key = n % 5 == 4 ? null : text("key-" + n);
    byte[] value = n % 7 == 6 ? null : text(("value " + n + " ").repeat(n % 40));
    List<Header> headers = new ArrayList<>();
    if (n % 3 == 0) headers.add(new RecordHeader("trace-é", text("t" + n)));
    if (n % 6 == 0) headers.add(new RecordHeader("none", (byte[]) null));
    return new SimpleRecord(1_700_000_000_000L + n * 1000L - (n % 4) * 5000L, key, value, headers.toArray(new Header[0]));
  }

  static SimpleRecord[] records(int count) {
    SimpleRecord[] all = new SimpleRecord[count];
    for (int n = 0; n < count; n++) all[n] = record(n);
    return all;
  }

  static void print(String name, ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    System.out.print("  \"" + name + "\": \"" + Base64.getEncoder().encodeToString(bytes) + "\"");
  }

  public static void main(String[] args) {
    System.out.println("{");
    for (CompressionType type : CompressionType.values()) {
      print(type.name, MemoryRecords.withRecords(RecordBatch.MAGIC_VALUE_V2, 1000L, Compression.of(type).build(), TimestampType.CREATE_TIME, records(200)).buffer());
      System.out.println(",");
    }
    print("append time", builder(2000L, TimestampType.LOG_APPEND_TIME, 1_800_000_000_000L, -1L, false, records(3)));
    System.out.println(",");
    print("far timestamps", MemoryRecords.withRecords(RecordBatch.MAGIC_VALUE_V2, 0L, Compression.NONE, TimestampType.CREATE_TIME,
        new SimpleRecord(1_700_000_000_000L, text("a"), text("1")), new SimpleRecord(1L, text("b"), text("2")), new SimpleRecord(1_900_000_000_000L, text("c"), text("3"))).buffer());
    System.out.println(",");
    print("transactional", MemoryRecords.withTransactionalRecords(3000L, Compression.NONE, 77L, (short) 5, 9, 4, records(2)).buffer());
    System.out.println(",");
    print("abort marker", MemoryRecords.withEndTransactionMarker(3002L, 1_700_000_000_000L, 4, 77L, (short) 5, new EndTransactionMarker(ControlRecordType.ABORT, 1)).buffer());
    System.out.println(",");
    print("commit marker", MemoryRecords.withEndTransactionMarker(3003L, 1_700_000_000_000L, 4, 77L, (short) 5, new EndTransactionMarker(ControlRecordType.COMMIT, 1)).buffer());
    System.out.println(",");
    print("old format", MemoryRecords.withRecords(RecordBatch.MAGIC_VALUE_V1, 0L, Compression.NONE, TimestampType.CREATE_TIME, new SimpleRecord(1L, text("a"), text("1"))).buffer());
    System.out.println("\n}");
  }

  static ByteBuffer builder(long offset, TimestampType type, long appendTime, long producerId, boolean transactional, SimpleRecord[] records) {
    MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(4096), RecordBatch.MAGIC_VALUE_V2, Compression.NONE, type, offset, appendTime);
    for (SimpleRecord record : records) builder.append(record);
    return builder.build().buffer();
  }
}
