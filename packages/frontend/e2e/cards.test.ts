import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { expectAccessible } from './support/axe'
import type { Person } from './support/person'
import { SERVE } from './support/server'
import { setStage } from './support/stage'

// Each card speaks through the local model.
const stage = setStage({}, SERVE)
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cards-'))
})

const TABLE = Array.from({ length: 256 }, (_, start) => {
  let value = start
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value >>> 0
})

function crc(bytes: Uint8Array): number {
  let value = 0xffffffff
  for (const byte of bytes) value = (value >>> 8) ^ (TABLE[(value ^ byte) & 0xff] ?? 0)
  return (value ^ 0xffffffff) >>> 0
}

function chunk(kind: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(kind, 'latin1'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc(body))
  return Buffer.concat([length, body, checksum])
}

/** A picture of one colour with a card in it. */
function png(card: object): Buffer {
  const side = 32
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(side * 3, Buffer.from([20, 120, 200]))])
  const pixels = deflateSync(Buffer.concat(Array.from({ length: side }, () => row)))
  const text = Buffer.from(JSON.stringify(card)).toString('base64')
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('tEXt', Buffer.from(`chara\0${text}`, 'latin1')),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

const card = (name: string) => ({
  spec: 'chara_card_v2',
  spec_version: '2.0',
  data: {
    name,
    description: 'Builds engines.',
    personality: '',
    scenario: '',
    first_mes: `I am ${name}. <script>document.title = 'broken'</script>`,
    mes_example: '',
    creator_notes: '<img src=x onerror=alert(1)> A mathematician.',
    extensions: { mine: [1, null] },
  },
})

const button = (person: Person, name: string) => person.page.getByRole('button', { name })

async function choose(person: Person, file: string): Promise<void> {
  const [chooser] = await Promise.all([
    person.page.waitForEvent('filechooser'),
    button(person, 'Import a character card').click(),
  ])
  await chooser.setFiles(file)
}

test('a card is imported, talked to, saved and deleted', async () => {
  const file = join(folder, 'ada.png')
  await writeFile(file, png(card('에이다')))
  const ann = await stage.person({ acceptDownloads: true })
  await ann.signIn('Ann')
  await choose(ann, file)
  await ann.page.getByText('에이다 is here now.').waitFor()
  const picture = ann.newChatButton('에이다').locator('img')
  await expect
    .poll(() => picture.evaluate((image) => (image as HTMLImageElement).naturalWidth))
    .toBe(32)
  // What the card says is text, whatever it looks like.
  await ann.page.getByText('<img src=x onerror=alert(1)> A mathematician.').waitFor()
  await expectAccessible(ann.page)
  await choose(ann, file)
  await ann.page.getByText('에이다 was here already.').waitFor()

  await ann.startChat('에이다')
  await ann.page.getByText('I am 에이다.').first().waitFor()
  expect(await ann.page.title()).not.toBe('broken')

  await button(ann, 'Card of 에이다').click()
  await expectAccessible(ann.page)
  const [saved] = await Promise.all([
    ann.page.waitForEvent('download'),
    ann.dialog.getByRole('button', { name: 'json' }).click(),
  ])
  expect(saved.suggestedFilename()).toBe('에이다.json')
  expect(JSON.parse(await readFile(await saved.path(), 'utf8'))).toEqual(card('에이다'))
  await ann.dialog.getByRole('button', { name: 'Delete this card' }).click()
  await ann.dialog.getByRole('button', { name: 'Delete this card' }).click()
  await ann.dialog.waitFor({ state: 'detached' })
  await ann.newChatButton('에이다').waitFor({ state: 'detached' })
})

test('a card can be dropped, and what is none is refused with a sentence', async () => {
  const ann = await stage.person()
  ann.foresee(/400 \(Bad Request\)/)
  await ann.signIn('Ann')
  const drop = async (name: string, content: string) => {
    const files = await ann.page.evaluateHandle(
      ([name, content]) => {
        const transfer = new DataTransfer()
        transfer.items.add(new File([content ?? ''], name ?? ''))
        return transfer
      },
      [name, content],
    )
    await ann.page.locator('nav').dispatchEvent('drop', { dataTransfer: files })
  }
  await drop('byron.json', JSON.stringify(card('Byron')))
  await ann.page.getByText('Byron is here now.').waitFor()
  await ann.newChatButton('Byron').waitFor()
  await drop('page.html', '<html><script>alert(1)</script>')
  await ann.page.getByText('page.html: The file is no character card').waitFor()
})

test('where only the operator may, the page offers nothing of it', async () => {
  const ann = await stage.person()
  await ann.page.route('**/api/info', async (route) => {
    const answer = await route.fetch()
    await route.fulfill({ json: { ...(await answer.json()), cards: 'operator' } })
  })
  await ann.signIn('Ann')
  await ann.newChatButton('Echo').waitFor()
  expect(await button(ann, 'Import a character card').count()).toBe(0)
})
