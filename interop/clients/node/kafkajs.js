// kafkajs against a broker: the last version, 2.2.4, and 1.15.0 of November 2020.
const { Kafka, logLevel, ConfigResourceTypes } = require('kafkajs')
const { version } = require('kafkajs/package.json')
const { Checks, equal, eventually, rejects } = require('./checks')
const codecs = require('./codecs')

if (process.argv.length !== 4) {
  console.error('usage: node kafkajs.js ADDRESS PREFIX')
  process.exit(2)
}
const [address, prefix] = process.argv.slice(2)
const OLD = version.startsWith('1.')
const PARTITIONS = [0, 1, 2]

const kafka = new Kafka({ brokers: [address], clientId: prefix, logLevel: logLevel.NOTHING, retry: { initialRetryTime: 50 } })
const admin = kafka.admin()

async function create(name, configEntries = []) {
  const topic = `${prefix}-${name}`
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS.length, configEntries }], waitForLeaders: false })
  // A send to a topic of which some partitions are not ready yet would be repeated as a whole.
  await eventually(() => admin.fetchTopicOffsets(topic).catch(() => false), `${topic} is not there`)
  return topic
}

async function send(topic, values, partition = 0) {
  await withProducer({}, (p) => p.send({ topic, messages: values.map((value) => ({ value, partition })) }))
}

async function withProducer(config, act) {
  const producer = kafka.producer(config)
  await producer.connect()
  try {
    return await act(producer)
  } finally {
    await producer.disconnect()
  }
}

// read resolves to the first count messages of the topic, ordered by partition and offset.
async function read(topic, count, config = {}) {
  const member = new Member(topic, `${topic}-reader-${Math.random()}`, config)
  await member.start()
  try {
    await eventually(() => member.messages.length >= count, () => `${member.messages.length} of ${count} messages read`)
  } finally {
    await member.leave()
  }
  return member.messages.sort((a, b) => a.partition - b.partition || a.offset - b.offset)
}

const values = (messages) => messages.map((m) => m.value.toString())

// Member is a consumer of a group.
class Member {
  messages = []
  assigned = []

  constructor(topic, groupId, config = {}) {
    this.topic = topic
    this.consumer = kafka.consumer({ groupId, sessionTimeout: 6000, heartbeatInterval: 500, maxWaitTimeInMs: 200, ...config })
    this.consumer.on(this.consumer.events.GROUP_JOIN, ({ payload }) => {
      this.assigned = payload.memberAssignment[topic] || []
    })
  }

  async start() {
    await this.consumer.connect()
    await this.consumer.subscribe({ topic: this.topic, fromBeginning: true })
    await this.consumer.run({
      autoCommitThreshold: 1,
      eachMessage: async ({ partition, message }) => void this.messages.push({ partition, ...message }),
    })
  }

  // leave commits what was read.
  leave() {
    return this.consumer.disconnect()
  }
}

// --- topics ------------------------------------------------------------------------------------------------------------

async function topics() {
  const topic = await create('topics')
  equal((await admin.listTopics()).includes(topic), true, 'listed')
  equal(await admin.createTopics({ topics: [{ topic }] }), false, 'created twice')
  equal(await partitionCount(topic), 3, 'partitions')
  await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
  await eventually(async () => (await partitionCount(topic)) === 5, 'the topic did not get 5 partitions')
  await send(topic, ['in the new one'], 4)
  equal((await read(topic, 1)).map((m) => [m.partition, m.value.toString()]), [[4, 'in the new one']], 'messages')
  await admin.deleteTopics({ topics: [topic] })
  await eventually(async () => !(await admin.listTopics()).includes(topic), 'the topic is listed after its deletion')
}

async function partitionCount(topic) {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  return topics[0].partitions.length
}

async function configs() {
  const topic = await create('configs', [{ name: 'retention.ms', value: '3600000' }])
  equal(await config(topic, 'retention.ms'), '3600000', 'retention.ms as created')
  const change = { type: topicType(), name: topic, configEntries: [{ name: 'retention.ms', value: '7200000' }] }
  await admin.alterConfigs({ resources: [change] })
  await eventually(async () => (await config(topic, 'retention.ms')) === '7200000', 'retention.ms is not what it was set to')
}

async function config(topic, name) {
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: topicType(), name: topic }] })
  return resources[0].configEntries.find((e) => e.configName === name).configValue
}

const topicType = () => (ConfigResourceTypes || require('kafkajs').ResourceTypes).TOPIC

// --- messages ----------------------------------------------------------------------------------------------------------

// Keys, null values, headers and UTF-8 come back as they went, whatever batches they went in.
async function records(name, compression, config = {}) {
  const topic = await create(`records-${name}`)
  const messages = Array.from({ length: 60 }, (_, i) => ({
    partition: i % PARTITIONS.length,
    key: `key-${i}`,
    value: i % 10 === 0 ? null : `ação ${i} `.repeat(20),
    headers: { n: String(i) },
  }))
  await withProducer(config, (p) => p.send({ topic, messages, compression }))
  const got = (await read(topic, 60)).map((m) => ({
    partition: m.partition,
    key: m.key.toString(),
    value: m.value && m.value.toString(),
    headers: { n: m.headers.n.toString() },
  }))
  equal(got, messages.sort((a, b) => a.partition - b.partition), 'messages')
}

async function offsets() {
  const topic = await create('offsets')
  const begin = Date.now() - 60_000
  const messages = Array.from({ length: 10 }, (_, i) => ({ partition: 0, value: 'v', timestamp: String(begin + 1000 * i) }))
  await withProducer({}, (p) => p.send({ topic, messages }))
  const ends = (await admin.fetchTopicOffsets(topic)).map((o) => [o.partition, o.low, o.high])
  equal(ends.sort(), [[0, '0', '10'], [1, '0', '0'], [2, '0', '0']], 'beginnings and ends')
  const found = await admin.fetchTopicOffsetsByTimestamp(topic, begin + 3500)
  equal(found.find((o) => o.partition === 0).offset, '4', 'first message 3.5 s later')
}

async function deleteRecords() {
  const topic = await create('delete-records')
  await send(topic, PARTITIONS.map(String).concat('3'))
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] })
  equal(values(await read(topic, 2)), ['2', '3'], 'values after deleting those before 2')
}

// --- groups ------------------------------------------------------------------------------------------------------------

async function groups() {
  const topic = await create('groups')
  const group = `${prefix}-group`
  const [a, b] = [new Member(topic, group), new Member(topic, group)]
  await Promise.all([a.start(), b.start()])
  await eventually(() => shared(a.assigned, b.assigned), 'two members do not share')
  for (const p of PARTITIONS) await send(topic, [`${p}-0`, `${p}-1`], p)
  await eventually(() => a.messages.length + b.messages.length === 6, 'not everything was read')
  equal(values([...a.messages, ...b.messages]).sort(), ['0-0', '0-1', '1-0', '1-1', '2-0', '2-1'], 'values')
  const [described] = (await admin.describeGroups([group])).groups
  equal([described.state, described.members.length], ['Stable', 2], 'state and members')
  equal((await admin.listGroups()).groups.some((g) => g.groupId === group), true, 'the group is listed')
  await a.leave()
  await eventually(() => b.assigned.length === 3, 'the other member does not take over')
  await b.leave()
  await restart(topic, group)
  await admin.deleteGroups([group])
  equal(await committed(topic, group), ['-1', '-1', '-1'], 'committed in a deleted group')
}

// shared: each has something, and together they have every partition once.
function shared(a, b) {
  return a.length > 0 && b.length > 0 && [...a, ...b].sort().join() === PARTITIONS.join()
}

// restart: a new member goes on at what was committed.
async function restart(topic, group) {
  await send(topic, ['later'], 1)
  const offsets = await committed(topic, group)
  equal(offsets, ['2', '2', '2'], 'committed offsets')
  const ends = await admin.fetchTopicOffsets(topic)
  equal(ends.reduce((lag, o) => lag + Number(o.high) - Number(offsets[o.partition]), 0), 1, 'lag')
  const member = new Member(topic, group)
  await member.start()
  await eventually(() => member.messages.length > 0, 'nothing was read after a restart')
  await member.leave()
  equal(values(member.messages), ['later'], 'read after a restart')
}

async function committed(topic, groupId) {
  const found = OLD
    ? await admin.fetchOffsets({ groupId, topic })
    : (await admin.fetchOffsets({ groupId, topics: [topic] }))[0].partitions
  return found.sort((a, b) => a.partition - b.partition).map((o) => o.offset)
}

// --- transactions ------------------------------------------------------------------------------------------------------

const transactional = (name) => ({ transactionalId: `${prefix}-${name}`, idempotent: true, maxInFlightRequests: 1 })

async function transactions() {
  const topic = await create('transactions')
  await withProducer(transactional('tx'), async (p) => {
    for (const [value, end] of [['committed', 'commit'], ['aborted', 'abort'], ['last', 'commit']]) {
      const tx = await p.transaction()
      await tx.send({ topic, messages: PARTITIONS.map((partition) => ({ partition, value })) })
      await tx[end]()
    }
  })
  const per = (...all) => PARTITIONS.flatMap(() => all)
  equal(values(await read(topic, 6)), per('committed', 'last'), 'read committed')
  const all = await read(topic, 9, { readUncommitted: true })
  equal(values(all), per('committed', 'aborted', 'last'), 'read uncommitted')
}

// exactlyOnce consumes, transforms, produces: the group's offset and the output are one transaction.
async function exactlyOnce() {
  const [source, target, group] = [await create('source'), await create('target'), `${prefix}-transform`]
  await send(source, ['a', 'b', 'c'])
  const input = await read(source, 3)
  await withProducer(transactional('transform'), async (p) => {
    for (const end of ['abort', 'commit']) {
      const tx = await p.transaction()
      await tx.send({ topic: target, messages: input.map((m) => ({ partition: 0, value: m.value.toString().toUpperCase() })) })
      await tx.sendOffsets({ consumerGroupId: group, topics: [{ topic: source, partitions: [{ partition: 0, offset: '3' }] }] })
      await tx[end]()
      // The markers are written after the answer to a commit, and only then the offset is there.
      const want = end === 'commit' ? '3' : '-1'
      await eventually(async () => (await committed(source, group))[0] === want, `the committed offset is not ${want}`)
    }
  })
  equal(values(await read(target, 3)), ['A', 'B', 'C'], 'target')
}

async function fenced() {
  const topic = await create('fenced')
  const message = (value) => ({ topic, messages: [{ partition: 0, value }] })
  await withProducer(transactional('fenced'), async (zombie) => {
    const old = await zombie.transaction()
    await old.send(message('zombie'))
    await withProducer(transactional('fenced'), async (heir) => {
      const tx = await heir.transaction()
      await rejects(old.send(message('zombie')), isFenced, 'the fenced producer goes on')
      await tx.send(message('heir'))
      await tx.commit()
    })
  })
  equal(values(await read(topic, 1)), ['heir'], 'read committed')
}

const isFenced = (err) => ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'].includes((err.originalError || err.cause || err).type)

async function main() {
  const checks = new Checks()
  await admin.connect()
  await checks.run('topics', topics)
  await checks.run('configs', configs)
  for (const [name, codec] of Object.entries(codecs)) {
    await checks.run(`records-${name.toLowerCase()}`, records, name.toLowerCase(), codec)
  }
  await checks.run('records-idempotent', records, 'idempotent', codecs.None, { idempotent: true })
  await checks.run('offsets', offsets)
  await checks.run('delete-records', deleteRecords)
  await checks.run('groups', groups)
  await checks.run('transactions', transactions)
  await checks.run('exactly-once', exactlyOnce)
  await checks.run('fenced', fenced)
  checks.exit()
}

main().catch((err) => {
  console.log(`FAILED kafkajs: ${err.name}: ${err.message}`)
  process.exit(1)
})
