import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;

/** The work of the contestants on Kafka Streams. It reads a job from standard input, and writes its outcome to standard output. */
public class Vehicles {
  /** What the program needs of a job; see contestant.go. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public static class Job {
    public List<String> Brokers;
    public String Topic;
    public long Records;
    public String Application;
    public String Dir;
    public int Workers;
  }

  /** See fleet.go. */
  public static class Position {
    public String line;
    public double lat, lon, speed;
    public long time, seq;
  }

  /** See fleet.go. */
  public static class Vehicle {
    public String line = "";
    public double lat, lon;
    public long time;
    public double fastest, meters;
    public long positions;

    Vehicle add(Position p) {
      if (positions > 0) meters += distance(lat, lon, p.lat, p.lon);
      line = p.line;
      lat = p.lat;
      lon = p.lon;
      time = p.time;
      fastest = Math.max(fastest, p.speed);
      positions++;
      return this;
    }
  }

  static double distance(double lat1, double lon1, double lat2, double lon2) {
    double x = (lon2 - lon1) * Math.cos(lat1 * Math.PI / 180);
    double y = lat2 - lat1;
    return 111_195 * Math.sqrt(x * x + y * y);
  }

  static final ObjectMapper MAPPER = new ObjectMapper();

  static <T> Serde<T> json(Class<T> type) {
    ObjectReader reader = MAPPER.readerFor(type);
    ObjectWriter writer = MAPPER.writerFor(type);
    return Serdes.serdeFrom(
        (topic, value) -> {
          try {
            return value == null ? null : writer.writeValueAsBytes(value);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        },
        (topic, bytes) -> {
          try {
            return bytes == null ? null : reader.readValue(bytes);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  public static void main(String[] args) throws Exception {
    Job job = MAPPER.readValue(System.in, Job.class);
    long start = System.nanoTime();
    AtomicLong processed = new AtomicLong();
    CountDownLatch end = new CountDownLatch(1);
    AtomicReference<Throwable> failure = new AtomicReference<>();

    StreamsBuilder builder = new StreamsBuilder();
    builder.stream(job.Topic, Consumed.with(Serdes.String(), json(Position.class)))
        .groupByKey(Grouped.with(Serdes.String(), json(Position.class)))
        .aggregate(
            Vehicle::new,
            (key, position, vehicle) -> {
              if (processed.incrementAndGet() == job.Records) end.countDown();
              return vehicle.add(position);
            },
            Materialized.<String, Vehicle, org.apache.kafka.streams.state.KeyValueStore<org.apache.kafka.common.utils.Bytes, byte[]>>as("vehicles")
                .withKeySerde(Serdes.String())
                .withValueSerde(json(Vehicle.class)));

    // Its defaults, but for the guarantee, the threads, and where it begins. With this guarantee it commits every 100 ms, too.
    Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, job.Application);
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, String.join(",", job.Brokers));
    config.put(StreamsConfig.STATE_DIR_CONFIG, job.Dir);
    config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, job.Workers > 0 ? job.Workers : Runtime.getRuntime().availableProcessors());
    config.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    KafkaStreams streams = new KafkaStreams(builder.build(), config);
    streams.setUncaughtExceptionHandler(
        e -> {
          failure.set(e);
          end.countDown();
          return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
    streams.start();
    end.await();
    boolean closed = streams.close(Duration.ofMinutes(1)); // commits
    if (failure.get() != null) throw new Exception(failure.get());
    if (!closed) throw new Exception("it did not close within a minute");
    long wall = System.nanoTime() - start;
    long collections = 0;
    for (var gc : ManagementFactory.getGarbageCollectorMXBeans()) collections += gc.getCollectionCount();
    System.out.printf("{\"Wall\":%d,\"GCs\":%d}%n", wall, collections);
  }
}
