import { Command, Option } from 'commander'
import { diffDirectories } from '../directory/diff.js'
import { markdownMessage, slackMessage } from './diff-message.js'
import { jsonOption, readList } from './input.js'
import { Exit, type Io, writeJson } from './io.js'
import { styleFor } from './text.js'

const EXAMPLES = `
A list is "bundled", a snapshot or a help page (a file or https URL), or "-" for
standard input. The output can be posted as it is: Markdown as the body of a
pull request, "slack" as the body for an incoming webhook of Slack.

Exit codes: 0 the same, 1 different, 2 an error.

Examples:
  $ moengage-allowlist diff bundled moengage.json
  $ moengage-allowlist diff moengage.json https://example.com/help-page.mdx
  $ git show HEAD:moengage.json | moengage-allowlist diff - moengage.json --json
  $ moengage-allowlist diff old.json new.json --format slack \\
      | curl --json @- "$SLACK_WEBHOOK"`

type Format = 'markdown' | 'slack' | 'json'

/** `diff`: the changes from one list to another. */
export function diffCommand(io: Io): Command {
  return new Command('diff')
    .description('compare two lists: addresses added, removed and moved; exit code 1 when they differ')
    .argument('<old>', 'the list in use')
    .argument('<new>', 'the list to compare it with')
    .addOption(new Option('--format <format>', 'how to write the changes').choices(['markdown', 'slack', 'json']))
    .addOption(jsonOption().conflicts('format'))
    .addHelpText('after', EXAMPLES)
    .action(async (old: string, now: string, { format, json }: { format?: Format; json?: true }, command: Command) => {
      if (old === '-' && now === '-') {
        command.error('error: Standard input can be only one of the two lists. Name a file for the other.')
      }
      const diff = diffDirectories(await readList(old, io), await readList(now, io))
      if (json || format === 'json') writeJson(io.stdout, diff)
      else io.stdout.write(format === 'slack' ? slackMessage(diff) : markdownMessage(diff, styleFor(io)))
      if (!diff.same) throw new Exit(1)
    })
}
