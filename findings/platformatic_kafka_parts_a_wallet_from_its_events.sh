#!/bin/sh
# @platformatic/kafka 1.35.0 (npm), beside kafkajs 2.2.4 (npm) and the Java client 4.3.1: to which partition of 12 a key goes,
# with each one's default.
# Guess: one key has one partition, whoever writes: all three hash it with murmur2, and Kafka keeps the order of a key only
# within a partition.
# Seen: kafkajs agrees with Java about each key. @platformatic/kafka disagrees about 445 keys of 1000, without a word: Java drops
# the sign bit of the hash, which it keeps. Once one writer moves to it, a wallet's charges stay in one partition and its refunds
# go to another, read in any order. With 16 partitions nothing is seen of it, as a power of two takes the same low bits. The
# package has what Java does as compatibilityPartitioner, which is not its default.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --ignore-scripts --no-audit --no-fund --no-package-lock "@platformatic/kafka@1.35.0" "kafkajs@2.2.4"
cat > pom.xml <<'END'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-clients</artifactId><version>4.3.1</version></dependency>
  </dependencies>
</project>
END
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib > maven.log 2>&1 || { cat maven.log; exit 2; }
cat > Parts.java <<'END'
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;

public class Parts {
  public static void main(String[] given) {
    for (int partitions : new int[] {12, 16})
      for (int wallet = 1; wallet <= 1000; wallet++)
        System.out.println(BuiltInPartitioner.partitionForKey(
            ("wallet-" + wallet).getBytes(StandardCharsets.UTF_8), partitions));
  }
}
END
java -cp "lib/*" Parts.java > java.parts 2> java.log || { cat java.log; exit 2; }
cat > parts.mjs <<'END'
import { readFileSync } from "node:fs";
import { compatibilityPartitioner, defaultPartitioner } from "@platformatic/kafka";
import kafkajs from "kafkajs";

const java = readFileSync("java.parts", "utf8").trim().split("\n").map(Number);
const byKafkajs = kafkajs.Partitioners.DefaultPartitioner();
const others = {
  kafkajs: (key, partitionMetadata) => byKafkajs({ topic: "t", partitionMetadata, message: { key } }),
  platformatic: (key, all) => defaultPartitioner({}, key) % all.length,
  "platformatic's other": (key, all) => compatibilityPartitioner({}, key) % all.length,
};
for (const count of [12, 16]) {
  const all = [...Array(count).keys()].map((partitionId) => ({ partitionId, leader: 1 }));
  for (const [name, partition] of Object.entries(others)) {
    let elsewhere = 0;
    for (let wallet = 1; wallet <= 1000; wallet++) {
      if (partition(Buffer.from(`wallet-${wallet}`), all) !== java[wallet - 1 + (count === 16 ? 1000 : 0)]) elsewhere++;
    }
    console.log(`${count} partitions: ${name} and Java differ about ${elsewhere} of 1000`);
  }
}
END
cat > wanted <<'END'
12 partitions: kafkajs and Java differ about 0 of 1000
12 partitions: platformatic and Java differ about 445 of 1000
12 partitions: platformatic's other and Java differ about 0 of 1000
16 partitions: kafkajs and Java differ about 0 of 1000
16 partitions: platformatic and Java differ about 0 of 1000
16 partitions: platformatic's other and Java differ about 0 of 1000
END
node parts.mjs > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: of twelve partitions, one key has two"
