import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { expectAccessible } from './support/axe'
import { setStage } from './support/stage'

const ADA = {
  spec: 'chara_card_v2',
  spec_version: '2.0',
  data: {
    name: 'Ada',
    description: '{{char}} is an engineer.',
    personality: 'curious',
    scenario: '',
    first_mes: 'Hello {{user}}, hand me that wheel.',
    mes_example: '',
    creator_notes: 'Talks about engines.',
    system_prompt: '',
    post_history_instructions: '',
    alternate_greetings: ['Oh, {{user}}!', 'What now?'],
    tags: [],
    creator: '',
    character_version: '',
    extensions: {},
  },
}

const folder = mkdtempSync(join(tmpdir(), 'rejoinder-card-'))
writeFileSync(join(folder, 'ada.json'), JSON.stringify(ADA))
writeFileSync(
  join(folder, 'characters.toml'),
  '[[characters]]\nid = "ada"\ncard = "ada.json"\nendpoint = "local"\n',
)
afterAll(() => rmSync(folder, { recursive: true }))

const stage = setStage({ REJOINDER_CHARACTERS: join(folder, 'characters.toml') })
/** The local model takes its time on a busy machine. */
const ANSWERS = { timeout: 120_000 }

test('a card greets, talks and is swiped, and all of that is the same after a reload', async () => {
  const [ann, bob] = [await stage.person(), await stage.person()]
  await ann.signIn('Ann')
  await bob.signIn('Bob')
  const address = await ann.startChat('Ada')
  await ann.message('Hello Ann, hand me that wheel.').waitFor()
  const group = (of: typeof ann, name: string) => of.page.getByRole('group', { name, exact: true })
  await group(ann, 'Greeting 1 of 3').waitFor()
  // The list of chats shows the one that is chosen, too.
  const entry = ann.page.locator(`nav a[href="${new URL(address).hash}"]`)
  await entry.getByText('Hello Ann, hand me that wheel.').waitFor()
  await ann.page.getByRole('button', { name: 'Next greeting' }).click()
  await ann.message('Oh, Ann!').waitFor()
  await entry.getByText('Oh, Ann!').waitFor()
  await expectAccessible(ann.page)
  await ann.page.reload()
  await ann.message('Oh, Ann!').waitFor()
  await group(ann, 'Greeting 2 of 3').waitFor()
  // Who comes later sees what was chosen, with the name that it was said to.
  await bob.open(address)
  await bob.message('Oh, Ann!').waitFor()

  await ann.say('What do you build?')
  await ann.messages('complete').nth(2).waitFor(ANSWERS)
  const first = (await ann.texts()).at(-1)
  await ann.page.getByRole('button', { name: 'Another answer' }).click()
  await group(ann, 'Answer 2 of 2').waitFor()
  await ann.messages('streaming').waitFor({ state: 'detached', ...ANSWERS })
  await ann.page.getByRole('button', { name: 'Previous answer' }).click()
  await group(ann, 'Answer 1 of 2').waitFor()
  for (const person of [ann, bob]) {
    await person.page.reload()
    await group(person, 'Answer 1 of 2').waitFor()
    expect(await person.texts()).toEqual(['Oh, Ann!', 'What do you build?', first])
  }
}, 400_000)
