import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { checkEgress } from '../../src/core.js'
import { FORMS as FACTS } from '../../src/egress/forms.js'
import { blocksOf } from '../support/blocks.js'
import { run } from '../support/cli.js'
import { answering, resolveNames } from '../support/echo.js'
import { listenOn } from '../support/forward-proxy.js'
import { FORMS } from './forms.js'

const PAGE = 'docs/egress.md'
const page = readFileSync(PAGE, 'utf8')
const sessions = blocksOf(PAGE)
  .filter(({ language }) => language === 'text')
  .map(({ code }) => {
    const [, command, output] = /^\$ (.*)\n([\s\S]*)$/.exec(code)!
    return { command: command!, output: output! }
  })

const LIST = sessions.find(({ command }) => command === 'cat egress.txt')!.output

/** What stands before a pipe, or in a file that the page does not show. */
const INPUTS: Readonly<Record<string, string>> = {
  'egress.txt': LIST,
  'wrong.txt': '52.10.20.30\n10.0.0.5\n52.10.20.9/24\nproxy.example.com\n',
  'body.json': '{"error":"IP Validation Required","message":"IP Validation Failed. Please check your IP!!"}',
  'aws ec2 describe-nat-gateways': JSON.stringify({
    NatGateways: [
      { NatGatewayAddresses: [{ PublicIp: '52.10.20.30' }], Tags: [{ Key: 'Name', Value: 'NAT gateway a' }] },
      { NatGatewayAddresses: [{ PublicIp: '52.10.20.31' }], Tags: [{ Key: 'Name', Value: 'NAT gateway b' }] },
      { NatGatewayId: 'nat-0c', State: 'deleted' }
    ]
  })
}

/** Runs a command of the page: what it wrote to both streams. */
async function output(t: Test, command: string): Promise<string> {
  const [, producer, line] = /^(?:(.*) \| )?moengage-allowlist (.*)$/.exec(command)!
  const argv = line!.split(' ')
  const file = argv.find((word) => word in INPUTS)
  const port = await listenOn(t, createServer(answering('52.10.20.30', '52.10.20.30', '52.10.20.99')))
  const local = `http://echo.example.com:${port}/`
  const args = argv.map((word) => (word === file ? '-' : word.replace('https://echo.example.com/', local)))
  const { stdout, stderr } = await run(args, { stdin: INPUTS[producer ?? file ?? 'egress.txt']! })
  return `${stdout}${stderr}`.replaceAll(local, 'https://echo.example.com/').replace('Standard input', `"${file}"`)
}

t.test('each command writes what the page shows; … stands for the rest', async (t) => {
  t.ok(sessions.length > 8, 'they are found')
  resolveNames(t, { 'echo.example.com': [4] })
  for (const { command, output: shown } of sessions) {
    if (command.startsWith('cat ')) continue
    const found = await output(t, command)
    if (shown.endsWith('…\n')) t.ok(found.startsWith(shown.slice(0, -2)), `${command}\n${found}`)
    else t.equal(found, shown, command)
  }
})

t.test('the list of the page is sound', async (t) => {
  t.match(checkEgress(LIST), { ok: true, warnings: [] })
})

t.test('the table has a column for each form', async (t) => {
  const [head, , names] = blocksAround('## The four places')
  t.strictSame(cells(head!), ['', ...FORMS.map((name) => `\`${name}\``)])
  t.strictSame(cells(names!), ['name', ...FORMS.map((name) => FACTS[name].title)])
})

const cells = (row: string) =>
  row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())

function blocksAround(heading: string): string[] {
  const [, section] = page.split(`${heading}\n`)
  return section!.split('\n').filter((line) => line.startsWith('|'))
}
