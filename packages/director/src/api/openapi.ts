// What the control API is, for programs: OpenAPI 3.1. The fault's schema is the one that requests are checked against.
import { z } from 'zod'
import { faultRequest } from '../fault/fault-request.ts'
import { PROCESS_VERBS } from '../fleet.ts'

const ok = (description: string, schema: object = { type: 'object' }) => ({
  200: { description, content: { 'application/json': { schema } } },
})
const refused = {
  '4XX': {
    description: 'refused: a code, what happened, what to do',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Refused' } } },
  },
}
const parameter = (name: string, description: string) => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string' },
})
const array = (ref: string) => ({ type: 'array', items: { $ref: `#/components/schemas/${ref}` } })
const NODE = parameter('node', 'broker:2, controller:101, or a role such as leader:orders-0')

export const OPENAPI = {
  openapi: '3.1.0',
  info: { title: 'Faultline control API', version: '1' },
  paths: {
    '/v1': { get: { summary: 'the cluster', responses: ok('its id and where clients find it') } },
    '/v1/nodes': { get: { summary: 'nodes with pid, port and state', responses: ok('all nodes', array('Node')) } },
    '/v1/status': { get: { summary: 'nodes with what they say of themselves', responses: ok('all nodes', array('Node')) } },
    '/v1/nodes/{node}': {
      get: {
        summary: 'one node',
        parameters: [NODE],
        responses: { ...ok('the node', { $ref: '#/components/schemas/Node' }), ...refused },
      },
    },
    '/v1/nodes/{node}/metrics': {
      get: {
        summary: "a node's metrics in Prometheus' text format",
        parameters: [NODE],
        responses: { 200: { description: 'families of metrics', content: { 'text/plain': {} } }, ...refused },
      },
    },
    '/v1/metrics': {
      get: {
        summary: 'faults as metrics',
        responses: { 200: { description: 'families of metrics', content: { 'text/plain': {} } } },
      },
    },
    '/v1/targets': {
      get: { summary: 'all that has metrics, for http_sd_configs of Prometheus', responses: ok('targets', { type: 'array' }) },
    },
    '/v1/nodes/{node}/{verb}': {
      post: {
        summary: 'break or mend a node',
        parameters: [NODE, { ...parameter('verb', 'what to do'), schema: { enum: PROCESS_VERBS } }],
        responses: { ...ok('the node afterwards', { $ref: '#/components/schemas/Node' }), ...refused },
      },
    },
    '/v1/faults': {
      get: { summary: 'faults with their hits', responses: ok('all faults', array('Fault')) },
      post: {
        summary: 'arm a fault',
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { $ref: '#/components/schemas/FaultRequest' } } },
        },
        responses: {
          201: {
            description: 'it is armed',
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Fault' } } },
          },
          ...refused,
        },
      },
      delete: { summary: 'heal everything', responses: ok('how many faults were healed') },
    },
    '/v1/faults/{id}': {
      get: {
        summary: 'one fault',
        parameters: [parameter('id', 'f1')],
        responses: { ...ok('the fault', { $ref: '#/components/schemas/Fault' }), ...refused },
      },
      delete: {
        summary: 'heal one fault',
        parameters: [parameter('id', 'f1')],
        responses: { ...ok('the fault', { $ref: '#/components/schemas/Fault' }), ...refused },
      },
    },
    '/v1/points': {
      get: { summary: 'kinds of faults, and what conditions can speak of', responses: ok('families and conditions') },
    },
    '/v1/edge': {
      post: { summary: 'brokers note what clients ask from now on', responses: ok('it is noted') },
      get: {
        summary: 'what clients asked and were answered, in the order of each broker',
        responses: { 200: { description: 'lines of JSON', content: { 'application/x-ndjson': {} } } },
      },
    },
    '/v1/events': {
      get: {
        summary: 'everything that happens, as server-sent events',
        parameters: [{ name: 'after', in: 'query', schema: { type: 'integer' }, description: 'only what came after this event' }],
        responses: { 200: { description: 'one event after the other', content: { 'text/event-stream': {} } } },
      },
    },
    '/v1/down': { post: { summary: 'stop the cluster; {"wipe": true} removes its folder', responses: ok('it has stopped') } },
  },
  components: {
    schemas: {
      FaultRequest: z.toJSONSchema(faultRequest, { io: 'input', unrepresentable: 'any' }),
      Fault: {
        type: 'object',
        required: ['id', 'family', 'kind', 'state', 'nodes', 'hits', 'matched', 'lastHit', 'ttlLeftMs', 'request'],
        properties: {
          id: { type: 'string' },
          family: { type: 'string' },
          kind: { type: 'string' },
          state: { enum: ['waiting', 'armed', 'spent', 'healed', 'expired', 'failed'] },
          nodes: { type: 'array', items: { type: 'string' } },
          hits: { type: 'integer' },
          matched: { type: ['integer', 'null'] },
          lastHit: { type: ['object', 'null'] },
          ttlLeftMs: { type: ['number', 'null'] },
          request: { type: 'object' },
        },
      },
      Node: {
        type: 'object',
        required: ['id', 'role', 'name', 'pid', 'port', 'httpPort', 'state'],
        properties: {
          id: { type: 'integer' },
          role: { enum: ['broker', 'controller'] },
          name: { type: 'string' },
          pid: { type: 'integer' },
          port: { type: 'integer' },
          httpPort: { type: 'integer' },
          state: { type: 'string' },
        },
      },
      Refused: {
        type: 'object',
        required: ['refused'],
        properties: {
          refused: {
            type: 'object',
            required: ['code', 'message', 'advice'],
            properties: { code: { type: 'string' }, message: { type: 'string' }, advice: { type: 'string' } },
          },
        },
      },
    },
  },
} as const
