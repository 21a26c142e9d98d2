import { describe, expect, it } from 'vitest'
import { change } from '../testing/changes'
import { type ChatStage, chatStage } from '../testing/chat'
import { ModelServer, PAGE } from '../testing/modelServer'
import { pick, seeded } from '../testing/random'
import { ROOM } from '../testing/room'
import { pathTo } from './branches'

/** In a room of a server that loses, delays and doubles as it is told. */
async function inRoom(): Promise<ChatStage & { server: ModelServer }> {
  const stage = chatStage({})
  const server = new ModelServer(stage.transport, stage.clock)
  stage.transport.userId = 'me'
  stage.transport.accept()
  await stage.bind()
  return { ...stage, server }
}

type Scene = Awaited<ReturnType<typeof inRoom>>

/** What somebody sees who comes now, as far back as it is held here: a page at least. */
function expected({ server, view }: Scene) {
  const all = server.room.snapshot(Number.MAX_SAFE_INTEGER)
  const count = Math.max(view().messages.length, Math.min(PAGE, all.messages.length))
  const messages = all.messages
    .map((each) => ({ ...each, status: 'sent' as const }))
    .slice(all.messages.length - count)
  const oldest = messages[0]?.seq ?? 0
  const running = all.streams
    .filter(({ seq }) => seq >= oldest)
    .map(({ messageId, content }) => [messageId, content] as const)
  const { lastSeq, head = lastSeq } = all
  return {
    messages,
    conversation: pathTo(messages, head).map(({ id }) => id),
    streamingMessages: new Map(running),
    members: byUser(all.members),
    readMarkers: byUser(all.read),
  }
}

function shown({ view }: Scene) {
  const { messages, conversation, streamingMessages, members, readMarkers } = view()
  return {
    messages,
    conversation: conversation.map(({ id }) => id),
    streamingMessages,
    members: byUser(members),
    readMarkers: byUser(readMarkers),
  }
}

const byUser = <T extends { userId: string }>(values: readonly T[]) =>
  [...values].sort((one, other) => one.userId.localeCompare(other.userId))

/** Everything but one kind of event arrives. */
function lose(scene: Scene, kind: string): void {
  scene.server.way = (each) => (each === kind ? [] : [0])
}

/** An answer with some text, and what becomes of it. */
async function answering(scene: Scene): Promise<string> {
  const { server } = scene
  server.tell(server.room.send('ann'))
  server.tell(server.room.start())
  const [id = ''] = server.room.writing
  server.tell(server.room.write(id, 'so '))
  await scene.clock.advance(100)
  return id
}

describe('an event that never comes', () => {
  it('the end of an answer: it is finished within 5 s', async () => {
    const scene = await inRoom()
    const id = await answering(scene)
    lose(scene, 'streamEnded')
    scene.server.tell(scene.server.room.write(id, 'far'))
    scene.server.tell(scene.server.room.end(id, 'complete'))
    expect(scene.view().streamingMessages.size).toBe(1)
    await scene.clock.advance(4_000)
    expect(shown(scene)).toEqual(expected(scene))
    expect(scene.view().messages.at(-1)).toMatchObject({ state: 'complete', content: 'so far' })
    expect(scene.view().streamingMessages.size).toBe(0)
  })

  it('the end of an answer that was long in coming: it is finished within 5 s', async () => {
    const scene = await inRoom()
    const id = await answering(scene)
    for (let turn = 0; turn < 100; turn += 1) {
      scene.server.tell(scene.server.room.write(id, 'x'))
      await scene.clock.advance(100)
    }
    lose(scene, 'streamEnded')
    scene.server.tell(scene.server.room.end(id, 'complete'))
    await scene.clock.advance(5_000)
    expect(scene.view().streamingMessages.size).toBe(0)
    expect(shown(scene)).toEqual(expected(scene))
  })

  it('a message, while an answer is written: it is there within 5 s of the next thing', async () => {
    const scene = await inRoom()
    const id = await answering(scene)
    lose(scene, 'message')
    scene.server.tell(scene.server.room.send('ann'))
    scene.transport.push('typing:stop', { roomId: ROOM, userId: 'ann' })
    for (let turn = 0; turn < 50; turn += 1) {
      scene.server.tell(scene.server.room.write(id, 'x'))
      await scene.clock.advance(100)
    }
    expect(shown(scene)).toEqual(expected(scene))
  })

  it('the end of an answer, while another one is written: it is finished within 5 s', async () => {
    const scene = await inRoom()
    const first = await answering(scene)
    lose(scene, 'streamEnded')
    scene.server.tell(scene.server.room.end(first, 'stopped'))
    scene.server.tell(scene.server.room.start())
    const [second = ''] = scene.server.room.writing
    for (let turn = 0; turn < 50; turn += 1) {
      scene.server.tell(scene.server.room.write(second, 'x'))
      await scene.clock.advance(100)
    }
    expect(shown(scene)).toEqual(expected(scene))
  })

  it('why an answer failed: it is shown as failed within 5 s', async () => {
    const scene = await inRoom()
    const id = await answering(scene)
    lose(scene, 'streamFailed')
    scene.server.tell(scene.server.room.fail(id))
    await scene.clock.advance(5_000)
    expect(scene.view().messages.at(-1)?.state).toBe('failed')
    expect(shown(scene)).toEqual(expected(scene))
  })

  it('the last piece of an answer: its text is whole within 6 s, and goes on', async () => {
    const scene = await inRoom()
    const id = await answering(scene)
    lose(scene, 'streamChunk')
    scene.server.tell(scene.server.room.write(id, 'far'))
    scene.server.way = () => [0]
    await scene.clock.advance(6_000)
    expect(scene.view().streamingMessages).toEqual(new Map([[id, 'so far']]))
    scene.server.tell(scene.server.room.write(id, ', so good'))
    expect(shown(scene)).toEqual(expected(scene))
  })

  it('a piece in the middle: its text is whole within 2 s', async () => {
    const scene = await inRoom()
    const id = await answering(scene)
    lose(scene, 'streamChunk')
    scene.server.tell(scene.server.room.write(id, 'far'))
    scene.server.way = () => [0]
    scene.server.tell(scene.server.room.write(id, ', so good'))
    await scene.clock.advance(2_000)
    expect(shown(scene)).toEqual(expected(scene))
  })

  it('the beginning of an answer: it is there within 2 s', async () => {
    const scene = await inRoom()
    lose(scene, 'streamStarted')
    await answering(scene)
    await scene.clock.advance(2_000)
    expect(shown(scene)).toEqual(expected(scene))
  })

  it('a message: it is there within 5 s of the next thing that happens', async () => {
    const scene = await inRoom()
    scene.server.tell(scene.server.room.send('ann'))
    lose(scene, 'message')
    scene.server.tell(scene.server.room.send('ann'))
    scene.transport.push('typing:stop', { roomId: ROOM, userId: 'ann' })
    await scene.clock.advance(5_000)
    expect(shown(scene)).toEqual(expected(scene))
  })

  it('the first message of a room, too', async () => {
    const scene = await inRoom()
    lose(scene, 'message')
    scene.transport.push('typing:start', { roomId: ROOM, userId: 'ann' })
    scene.server.tell(scene.server.room.send('ann'))
    scene.server.way = () => [0]
    await scene.clock.advance(6_000)
    expect(shown(scene)).toEqual(expected(scene))
  })

  it('a message that somebody is said to have read: it is fetched within 2 s', async () => {
    const scene = await inRoom()
    scene.server.tell(scene.server.room.send('ann'))
    lose(scene, 'message')
    scene.server.tell(scene.server.room.send('ann'))
    scene.server.tell(scene.server.room.read('bob', 2))
    await scene.clock.advance(2_000)
    expect(shown(scene)).toEqual(expected(scene))
  })

  it.each(['message', 'userJoined', 'userLeft', 'presence', 'read'])(
    '%s, with nothing after it: it is made good within 40 s, and at once when the tab comes back',
    async (kind) => {
      for (const wait of [
        (scene: Scene) => scene.clock.advance(40_000),
        async (scene: Scene) => {
          await scene.clock.advance(2_000)
          scene.wake()
          await scene.clock.advance(0)
        },
        async (scene: Scene) => {
          await scene.clock.advance(2_000)
          scene.attention.comeBack()
          await scene.clock.advance(0)
        },
      ]) {
        const scene = await inRoom()
        const { room } = scene.server
        scene.server.tell([...room.enter('ann'), ...room.enter('bob'), ...room.send('ann')])
        await scene.clock.advance(10_000)
        lose(scene, kind)
        const changes: Record<string, () => void> = {
          message: () => scene.server.tell(room.send('ann')),
          userJoined: () => scene.server.tell(room.enter('cem')),
          userLeft: () => scene.server.tell(room.leave('bob')),
          presence: () => scene.server.tell(room.show('bob', 'away')),
          read: () => scene.server.tell(room.read('bob', 1)),
        }
        changes[kind]?.()
        expect(shown(scene)).not.toEqual(expected(scene))
        await wait(scene)
        expect(shown(scene)).toEqual(expected(scene))
      }
    },
  )
})

describe('looking at the server', () => {
  it('costs nothing where nothing happens and nobody looks', async () => {
    const scene = await inRoom()
    await scene.clock.advance(5_000)
    scene.attention.leave()
    const before = scene.transport.sent.length
    await scene.clock.advance(3_600_000)
    expect(scene.transport.sent).toHaveLength(before)
  })

  it('is one request after whatever happened in one go, and one each half minute', async () => {
    const scene = await inRoom()
    for (let count = 0; count < 20; count += 1) {
      scene.server.tell(scene.server.room.send('ann'))
      await scene.clock.advance(100)
    }
    await scene.clock.advance(20_000)
    expect(scene.transport.all('messages:history')).toHaveLength(1)
    expect(scene.transport.all('room:rejoin')).toHaveLength(0)
    await scene.clock.advance(100_000)
    expect(scene.transport.all('room:rejoin')).toHaveLength(4)
  })

  it('for an answer that takes its time becomes rarer', async () => {
    const scene = await inRoom()
    await answering(scene)
    scene.attention.leave()
    await scene.clock.advance(120_000)
    expect(scene.transport.all('messages:history').length).toBeLessThan(8)
    expect(scene.transport.all('room:rejoin')).toHaveLength(0)
  })

  it('ends with the room', async () => {
    const scene = await inRoom()
    await answering(scene)
    await scene.chat.leaveRoom()
    expect(scene.clock.planned).toBe(0)
  })
})

describe('whatever order, loss and repetition', () => {
  const SEEDS = Array.from({ length: 120 }, (_, seed) => seed + 1)

  it.each(SEEDS)('ends in what the server has, once connected and quiet, seed %i', async (seed) => {
    const random = seeded(seed)
    const scene = await inRoom()
    const { server, transport, clock, chat } = scene
    const sent: string[] = []
    const trouble = () => {
      const chance = random()
      if (chance < 0.5) return [0]
      if (chance < 0.65) return []
      if (chance < 0.8) return [0, random() * 3_000]
      return [random() * 3_000]
    }
    const write = () => {
      sent.push(`own ${sent.length}`)
      void chat.sendMessage(sent.at(-1) ?? '')
    }
    const steps: (() => void | Promise<void>)[] = [
      ...Array.from({ length: 8 }, () => () => server.tell(change(server.room, random))),
      write,
      () => clock.advance(random() * 2_000),
      () => clock.advance(random() * 500),
      () => {
        if (!transport.isOpen) transport.accept()
        else if (random() < 0.3) transport.drop()
      },
      () => {
        server.way = random() < 0.5 ? () => [0] : trouble
      },
      scene.wake,
    ]
    for (let turn = 0; turn < 120; turn += 1) await pick(random, steps)()

    server.way = () => [0]
    if (!transport.isOpen) transport.accept()
    await clock.advance(60_000)
    for (const { id, status } of scene.view().messages)
      if (status === 'failed') void chat.retryMessage(id)
    await clock.advance(60_000)
    expect(shown(scene)).toEqual(expected(scene))
    const own = server.room
      .snapshot(Number.MAX_SAFE_INTEGER)
      .messages.filter(({ senderId }) => senderId === 'me')
    expect(new Set(own.map(({ content }) => content))).toEqual(new Set(sent))
    expect(own).toHaveLength(sent.length)
  })
})
