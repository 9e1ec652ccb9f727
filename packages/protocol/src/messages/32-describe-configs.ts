// DescribeConfigs: configs of topics, brokers, groups with where each value comes from (KIP-226).
import { api, array, bool, int16, int32, int8, string } from '../schema/index.ts'

export const describeConfigs = api(
  32,
  'DescribeConfigs',
  { versions: '1-4', flexible: '4+' },
  {
    request: {
      resources: array('0+', {
        resourceType: int8('0+'),
        resourceName: string('0+'),
        configurationKeys: array('0+', string, { nullable: '0+' }),
      }),
      includeSynonyms: bool('1+'),
      includeDocumentation: bool('3+'),
    },
    response: {
      throttleTimeMs: int32('0+'),
      results: array('0+', {
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
        resourceType: int8('0+'),
        resourceName: string('0+'),
        configs: array('0+', {
          name: string('0+'),
          value: string('0+', { nullable: '0+' }),
          readOnly: bool('0+'),
          configSource: int8('1+', { default: -1, ignorable: true }),
          isSensitive: bool('0+'),
          synonyms: array(
            '1+',
            { name: string('1+'), value: string('1+', { nullable: '0+' }), source: int8('1+') },
            { ignorable: true },
          ),
          configType: int8('3+', { ignorable: true }),
          documentation: string('3+', { nullable: '0+', ignorable: true }),
        }),
      }),
    },
  },
)
