// kafkajs can write group.instance.id (KIP-345) and has no setting for it: here it is put into each request that has a field for it.
const { dirname, join } = require('node:path')

const REQUESTS = join(dirname(require.resolve('kafkajs/package.json')), 'src/protocol/requests')

exports.joinAs = (groupInstanceId) => {
  for (const version of ['joinGroup/v5', 'syncGroup/v3', 'heartbeat/v3']) {
    const path = require.resolve(join(REQUESTS, version, 'request.js'))
    const write = require(path)
    require.cache[path].exports = (request) => write({ ...request, groupInstanceId })
  }
}
