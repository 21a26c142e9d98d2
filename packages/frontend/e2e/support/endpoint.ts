import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a model says: its thoughts, then its text, which waits until the test lets it go. */
export interface Script {
  thoughts?: string
  text: string
  until?: Promise<void>
}

/** A model behind an OpenAI-compatible endpoint that says what a test tells it, in the order in which it is asked. */
export class Endpoint {
  /** The prompts so far. */
  readonly asked: { role: string; content: string }[][] = []
  readonly scripts: Script[] = []
  readonly #server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      if (request.url !== '/v1/chat/completions') {
        response.writeHead(404).end()
        return
      }
      this.asked.push(JSON.parse(Buffer.concat(parts).toString()).messages)
      void answer(response, this.scripts.shift() ?? { text: 'Yes.' })
    })
  })

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

async function answer(response: ServerResponse, script: Script): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const event = (data: unknown) => response.write(`data: ${JSON.stringify(data)}\n\n`)
  if (script.thoughts !== undefined)
    event({ choices: [{ delta: { reasoning_content: script.thoughts } }] })
  await script.until
  event({ choices: [{ delta: { content: script.text } }] })
  event({ choices: [{ delta: {}, finish_reason: 'stop' }] })
  event({ choices: [], usage: { prompt_tokens: 12, completion_tokens: 3 } })
  response.end('data: [DONE]\n\n')
}
