// Healthy is whoever answers: the director over HTTP, a node on its management socket, and a broker only when it serves clients.
import { connect } from 'node:net'
import { hostname } from 'node:os'

const node = /^(broker|controller)-\d+$/.test(hostname()) ? hostname() : undefined
const state = node ? await askNode(`/run/faultline/${node}.sock`) : await askDirector()
console.log(state)
process.exit(!node?.startsWith('broker') || state === 'running' ? 0 : 1)

async function askDirector() {
  const response = await fetch(`http://127.0.0.1:${process.env.FAULTLINE_API_PORT ?? 8080}/openapi.json`)
  return response.ok ? 'up' : process.exit(1)
}

function askNode(path) {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(path, () => socket.write('{"verb":"status"}\n'))
    socket.on('error', (error) => {
      console.log(error.message)
      process.exit(1)
    })
    socket.on('data', (chunk) => {
      text += chunk
      if (text.includes('\n')) resolve(JSON.parse(text).state)
    })
  })
}
