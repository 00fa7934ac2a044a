// SPDX-License-Identifier: MIT
// mcap_reader.cjs MODULES FILE: prints, as JSON, what the npm package @mcap/core finds in an MCAP file of `quoit record`:
// by the index, and record after record.
const { readFileSync } = require("node:fs");
const { McapIndexedReader, McapStreamReader } = require(`${process.argv[2]}/@mcap/core`);

const file = readFileSync(process.argv[3]);
const readable = {
    size: async () => BigInt(file.length),
    read: async (offset, size) => new Uint8Array(file.subarray(Number(offset), Number(offset + size))),
};
const shown = (message) => [message.channelId, message.sequence, String(message.logTime),
    Buffer.from(message.data).toString("hex")];

async function byIndex() {
    const reader = await McapIndexedReader.Initialize({ readable });
    const messages = [];
    for await (const message of reader.readMessages()) {
        messages.push(shown(message));
    }
    const channels = [...reader.channelsById.values()].map((channel) => ({
        id: channel.id, topic: channel.topic, metadata: Object.fromEntries(channel.metadata),
    }));
    const metadata = [];
    for await (const record of reader.readMetadata()) {
        metadata.push([record.name, Object.fromEntries(record.metadata)]);
    }
    return {
        messages, channels, metadata, count: Number(reader.statistics.messageCount),
        chunks: reader.chunkIndexes.length, perChannel: [...reader.statistics.channelMessageCounts.values()].map(Number),
    };
}

function inOrder() {
    const reader = new McapStreamReader({ validateCrcs: true });
    reader.append(file);
    const messages = [];
    for (let record; (record = reader.nextRecord());) {
        if (record.type === "Message") {
            messages.push(shown(record));
        }
    }
    return { messages, done: reader.done() };
}

async function main() {
    const ordered = inOrder();
    console.log(JSON.stringify({ ordered, indexed: ordered.done ? await byIndex() : null }));
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
