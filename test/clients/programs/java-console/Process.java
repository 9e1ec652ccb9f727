// Copies the topic to OUTPUT in transactions with the positions inside, until SIGTERM; for each one a line with how many records it has.
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class Process {
    private static final Map<String, String> ENV = System.getenv();

    public static void main(String[] args) throws Exception {
        AtomicBoolean stopping = new AtomicBoolean();
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stopping.set(true);
            try {
                main.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        try (KafkaConsumer<String, String> consumer = consumer(); KafkaProducer<String, String> producer = producer()) {
            producer.initTransactions();
            consumer.subscribe(List.of(ENV.get("TOPIC")));
            while (!stopping.get()) {
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(100));
                if (!records.isEmpty()) process(consumer, producer, records);
            }
        }
    }

    private static void process(
            KafkaConsumer<String, String> consumer, KafkaProducer<String, String> producer, ConsumerRecords<String, String> records) {
        producer.beginTransaction();
        try {
            for (ConsumerRecord<String, String> r : records) producer.send(new ProducerRecord<>(ENV.get("OUTPUT"), r.key(), r.value()));
            Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
            for (TopicPartition at : records.partitions()) positions.put(at, new OffsetAndMetadata(consumer.position(at)));
            producer.sendOffsetsToTransaction(positions, consumer.groupMetadata());
            producer.commitTransaction();
        } catch (ProducerFencedException | AuthorizationException e) {
            throw e;
        } catch (KafkaException e) {
            System.err.println("aborted: " + e);
            producer.abortTransaction();
            Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(consumer.assignment());
            committed.forEach((at, position) -> consumer.seek(at, position == null ? 0 : position.offset()));
            return;
        }
        System.out.println(records.count());
    }

    private static KafkaConsumer<String, String> consumer() {
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", ENV.get("BOOTSTRAP_SERVERS"));
        config.put("group.id", ENV.get("GROUP"));
        config.put("auto.offset.reset", "earliest");
        config.put("enable.auto.commit", false);
        config.put("isolation.level", "read_committed");
        config.put("session.timeout.ms", 6000);
        config.put("heartbeat.interval.ms", 500);
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    private static KafkaProducer<String, String> producer() {
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", ENV.get("BOOTSTRAP_SERVERS"));
        config.put("transactional.id", ENV.get("TRANSACTIONAL_ID"));
        config.put("linger.ms", 2);
        return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
    }
}
